"""Answering reads."""
