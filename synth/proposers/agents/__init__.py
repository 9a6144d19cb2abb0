"""Proposer that runs an external coding agent in a scratch folder, inside a sandbox."""
