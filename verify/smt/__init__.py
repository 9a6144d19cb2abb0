"""Encoding of ticks as SMT-LIB, the z3 process, and a cache of its answers."""
