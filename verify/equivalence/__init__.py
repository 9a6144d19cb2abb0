"""Equivalence of two programs (`hl diff`)."""
