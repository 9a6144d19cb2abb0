"""Text to tree and back: the grammar, the parser, syntax errors, the formatter and the grammar for constrained decoding."""
