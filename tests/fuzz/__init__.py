"""Long runs of the generators, outside the test suite."""
