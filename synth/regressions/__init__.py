"""Regression cases: recorded episodes and traces that accepted programs must still pass."""
