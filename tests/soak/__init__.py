"""A soak: readers, writers, faults and kills, and an oracle that checks every answer."""
