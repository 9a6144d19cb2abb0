"""Codes of diagnostics (`HL203`) and the page of each, for `hl explain`."""
