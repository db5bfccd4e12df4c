"""What happened after each row: outcomes with the span of time that they were measured over, never across a break."""
