"""What news leaves behind in a symbol's state, and the features that tell of it."""
