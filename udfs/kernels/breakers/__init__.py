"""What stops predictions by itself: a crash of the price, and a model that says the same of everything."""
