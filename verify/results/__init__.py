"""Proof results as records, text and JSON, and counterexample files."""
