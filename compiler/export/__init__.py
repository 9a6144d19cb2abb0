"""A policy as a standalone source file (`hl export`), one file for each target language."""
