"""Questions that callers ask, and the bodies that answer them."""
