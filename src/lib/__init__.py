"""The service: pure rules, use cases and adapters; docs/architecture.md draws the map."""
