"""What runs inside a stream worker. Importing any module here starts nothing."""
