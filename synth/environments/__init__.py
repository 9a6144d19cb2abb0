"""Environments: lanes of a simulator under an evaluation protocol, the probe, and the check of a card against the simulator."""
