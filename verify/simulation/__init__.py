"""Search for counterexamples by simulation: batches of random runs, replay by the reference interpreter, shrinking."""
