"""Checked tree to dataflow graph. `lower.py` starts it."""
