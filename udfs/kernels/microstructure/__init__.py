"""Microstructure beyond the best level: spreads, levels of the book, signs of trades, intensities, price impact."""
