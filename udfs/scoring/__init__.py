"""From a feature row to a calibrated score with reasons."""
