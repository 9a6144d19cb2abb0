"""Syntax tree of a program, and the limits on its size."""
