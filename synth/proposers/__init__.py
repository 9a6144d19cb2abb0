"""Proposers of programs: the registry, and the small proposers that replay, alternate or take submissions."""
