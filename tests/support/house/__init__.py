"""Rules of the house (`tests/test_house.py`): source files as trees, the rules, and the list of packages."""
