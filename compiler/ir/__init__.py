"""Dataflow graph of a checked program, the builder that makes it, and its structural hash."""
