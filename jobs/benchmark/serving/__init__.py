"""The API under load: watchlists that are read, clients that listen, sockets that say nothing, and what follows for many people."""
