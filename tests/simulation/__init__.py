"""A deterministic simulation of the whole service: one clock, one thread, one seed a run."""
