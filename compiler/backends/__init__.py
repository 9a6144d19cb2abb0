"""Back ends: the reference interpreter, and what batched back ends share (frames, admission of inputs, masks)."""
