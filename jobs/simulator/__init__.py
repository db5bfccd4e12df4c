"""A seeded market of correlated symbols with order books, halts and planted defects, for demos and tests without anybody's data."""
