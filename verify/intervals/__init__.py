"""Interval evaluation of a tick, and ranges of the memory as a fixpoint of it."""
