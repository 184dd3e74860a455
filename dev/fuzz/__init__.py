"""Schemathesis against the running service: ``make fuzz``."""
