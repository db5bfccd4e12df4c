"""Watching the running job: its numbers for Prometheus, its health for a person, and what opens a breaker."""
