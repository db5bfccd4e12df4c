"""Watching the running job: its numbers for Prometheus, its health for a person, what opens a breaker, and drift of its features."""
