"""The rules of HTTP caching: freshness, header fields, and how an answer came by."""
