"""SMT encoding of ticks with rounding errors, the z3 process, and the cache of its answers."""
