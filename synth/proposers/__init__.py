"""Proposers of candidate programs, by name (`registry.py`), and the small ones: replay, round robin, submissions."""
