"""Pure modules and use cases, on fakes; no socket can be opened."""
