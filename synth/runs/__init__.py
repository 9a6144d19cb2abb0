"""Run folder of a study on disk: ledger of trials, settings, budget, step counter, and the files and texts derived from the ledger."""
