"""Tree to text in the standard layout (`hl fmt`)."""
