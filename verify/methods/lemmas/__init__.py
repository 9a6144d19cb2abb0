"""Lemma inference for induction: candidate invariants about the memory, filtered by the Houdini algorithm."""
