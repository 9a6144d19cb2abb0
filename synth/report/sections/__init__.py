"""Sections of the report page, one function a section, from the report's document to markup."""
