"""What changed, told to those who listen."""
