"""Planning: looking ahead with the environment's own model before each action."""
