"""Evaluation, tuning and search of programs: everything that steps simulators or records runs."""
