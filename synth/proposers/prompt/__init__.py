"""The prompt for language models and agents: language summary, task, traces and frames, truncated to fit."""
