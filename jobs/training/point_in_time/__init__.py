"""What was known at the moment of each feature row, read from the lake in pieces: rows, reference data, news, and outcomes with spans."""
