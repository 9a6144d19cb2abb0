"""Equivalence of two programs (`hl diff`): a proof that they act the same, or a run in which they differ."""
