"""Input sources: the arrays that a policy's inputs are read from. One module for each source, and the table that lists them."""
