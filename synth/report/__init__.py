"""A run as one page for people: what it tried, what came of it, what it cost."""
