"""What each fault comes to: the table behind docs/reliability.md."""
