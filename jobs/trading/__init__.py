"""Paper trading: orders from signals, a gate that denies them with a reason, a broker that fills them on paper. No money moves."""
