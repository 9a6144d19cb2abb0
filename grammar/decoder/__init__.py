"""Grammar for constrained decoding: converts `hl.lark` so that a language model can only write programs."""
