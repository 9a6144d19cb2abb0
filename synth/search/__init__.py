"""The study of `hl synth`: generations of proposals, their evaluation, interactive studies and the random baseline."""
