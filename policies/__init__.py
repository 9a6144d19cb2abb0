"""Policies that come with HL, one folder for each environment."""
