"""Input sources: the arrays that a policy's inputs are read from, one module for each, and the table of them."""
