"""What is known of instruments besides their prices: reference data and corporate actions, point in time."""
