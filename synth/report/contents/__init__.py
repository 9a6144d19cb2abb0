"""Data of the report, read from a run folder: steps, curve, held-out score, proofs, rejections."""
