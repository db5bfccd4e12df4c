"""A look at the rows before anything is trained from them: what is odd is said, and what makes no sense stops the run."""
