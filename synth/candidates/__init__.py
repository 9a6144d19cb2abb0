"""Candidate programs: the gates they pass, the archive of accepted ones, and the interface of proposers."""
