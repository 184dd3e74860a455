"""The local stack: the service on one machine, with an origin double and an embedded AWS."""
