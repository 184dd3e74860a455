"""Cal.com: asking it, and deciding whether it may be asked."""
