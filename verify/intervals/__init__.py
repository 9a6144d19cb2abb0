"""Interval evaluation of a graph, and the fixpoint that bounds the memory in every reachable state."""
