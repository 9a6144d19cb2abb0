"""Benchmarks: cost of policies, rollouts, proofs and searches. `python -m benchmarks` runs the short ones."""
