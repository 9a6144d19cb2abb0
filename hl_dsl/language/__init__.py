"""Meaning of a program: names, types, checks and warnings. `checker.py` turns a tree into a checked program."""
