"""Splitters in scikit-learn's interface that know when each outcome was measured, and a check that finds those that leak."""
