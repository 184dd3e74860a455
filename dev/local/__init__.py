"""The service on one machine, with an embedded AWS and an HTTP front: ``make run``."""
