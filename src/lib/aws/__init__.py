"""The AWS services, behind words of our own."""
