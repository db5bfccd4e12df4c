"""Why a stored signal is what it is: made again from its frames, and what would have changed it."""
