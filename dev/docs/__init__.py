"""Documents that are made from what they describe."""
