"""Technical indicators, one a file: a recursion that takes one bar at a time, and the same over a whole series.

A recursion keeps its memory in a float64 array that starts as zeros (`MEMORY` numbers) and returns NaN while it warms up.
"""
