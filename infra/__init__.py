"""Where Tickflow runs: the one command, local services, schemas, deployment files."""
