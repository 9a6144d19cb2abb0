"""Proof methods that `prove` tries in turn: intervals, k-induction, bounded model checking, bisection, reachability."""
