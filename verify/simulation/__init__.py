"""Search for counterexamples by running the program: input sampling, replay, shortening, traces."""
