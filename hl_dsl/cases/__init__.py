"""Stored cases: what a policy must keep doing, as records and as JSON files of the schema `hl.case/2`."""
