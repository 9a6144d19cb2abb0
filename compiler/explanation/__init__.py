"""A policy in English (`hl explain FILE`)."""
