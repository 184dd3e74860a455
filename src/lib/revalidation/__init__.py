"""Asking the origin again under a lease, and publishing what changed."""
