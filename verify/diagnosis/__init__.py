"""Diagnosis of a proof: missing invariants, provable bounds, dead code. It changes no result."""
