"""Whether two programs act the same."""
