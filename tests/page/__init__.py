"""The pages of the local run, in a real browser."""
