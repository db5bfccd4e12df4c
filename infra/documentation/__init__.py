"""Tables of the documentation that are written from the code, so that they cannot be wrong."""
