"""The order book as far as features need it: best level, depth, and when neither may be trusted."""
