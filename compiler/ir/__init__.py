"""Intermediate representation: one typed dataflow graph for one tick, its builder and its structural hash."""
