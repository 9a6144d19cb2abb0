"""Syntax errors: finds the likely mistake behind a failed parse, and a repair."""
