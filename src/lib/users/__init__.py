"""One managed user: its document, its address, what it is looked up by, what of it is hidden."""
