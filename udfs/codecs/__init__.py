"""Bytes to records and back: messages on the wire and state blobs."""
