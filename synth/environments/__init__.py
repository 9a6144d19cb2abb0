"""Simulators behind one interface.

`environments.py` is the only module that steps environments, and counts the steps.
"""
