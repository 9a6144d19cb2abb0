"""Proposers that write texts: a model behind an API, an external agent, a recorded run."""
