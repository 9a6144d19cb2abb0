"""Evaluation in a process of its own, which may hang, leak or die without taking a run along."""
