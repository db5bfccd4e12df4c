"""Facts from beyond the symbol's own ticks: how they are checked, what they leave in its state, and the features made of them."""
