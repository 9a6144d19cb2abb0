"""The prompt for language models and agents: its parts, its text, and the limits of its sections."""
