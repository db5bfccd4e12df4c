"""The demo in stages: a source, a warm-up stretch, a model trained on it, and a live stretch that people watch."""
