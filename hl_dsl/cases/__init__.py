"""Stored cases of a policy: records, and JSON files of the schema `hl.case/2`."""
