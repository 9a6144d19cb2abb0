"""Runs: searched for violations, made short, replayed by the reference interpreter, and told as data."""
