"""The audit log: who changed what, when and why, as a chain of hashes that shows when an entry was removed, changed or moved."""
