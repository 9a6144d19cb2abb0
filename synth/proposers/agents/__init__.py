"""Proposer that runs an external coding agent in a sandboxed folder."""
