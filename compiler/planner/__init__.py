"""Planner at run time: simulates the policy ahead in the environment's own model before each action."""
