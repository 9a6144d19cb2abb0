"""Rollouts: steps a batch of episodes with a policy, prunes lanes, and records episodes, traces and videos."""
