"""Parts that language-model and agent proposers share: retries, feedback, prices, accounts of calls."""
