"""Run folder of a study: ledger of trials, settings, budget, step counter, and the files derived from the ledger."""
