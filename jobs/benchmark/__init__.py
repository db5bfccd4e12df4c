"""Measurements of the running system. Every figure says what was offered, what was delivered, and on what machine."""
