"""Proof methods, which the pipeline tries in turn: intervals, bisection, induction, bounded model checking."""
