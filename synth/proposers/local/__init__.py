"""Local proposer: search by mutation and CMA-ES, without a network."""
