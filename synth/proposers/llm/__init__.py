"""Proposer that queries a language model behind an OpenAI-compatible API."""
