"""The messages on the wire: Protobuf schemas, their pinned ids, and the generator of the Python code."""
