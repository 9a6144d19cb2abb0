"""A run on disk: its folder, ledger, trials and budget, and the tables and plots derived from them.

Trials are recorded here.
"""
