"""Inference of lemmas about the memory: candidates from simulated runs, filtered and proved, to help induction."""
