"""Sections of the report page, one file each."""
