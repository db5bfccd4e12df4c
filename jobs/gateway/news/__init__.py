"""News on its way into the logs of the symbols that it names: from the topic, or from a file."""
