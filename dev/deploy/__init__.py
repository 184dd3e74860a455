"""The artifact of the functions, and the deployed shape on this machine."""
