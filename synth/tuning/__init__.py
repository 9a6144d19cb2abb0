"""Tuning: a program's parameters moved inside their proved ranges; the structure, and so the proof, stays."""
