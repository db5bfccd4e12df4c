"""One reader a file format. A reader yields one `MarketEvent` or `RejectedLine` for every message of its file, in the file's order."""
