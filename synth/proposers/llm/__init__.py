"""Proposer that calls a language model through an OpenAI-compatible server."""
