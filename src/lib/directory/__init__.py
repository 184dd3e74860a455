"""All known users of one client: generations, what they are made of, and how they are read."""
