"""Text to tree and back. `parser.py` parses a program with the grammar `hl.lark`."""
