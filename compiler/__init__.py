"""Checked program to something that runs. `policy.py` is the compiled policy, which acts in a batch of environments."""
