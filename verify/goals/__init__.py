"""Goals of a proof: what has to be proved, over which part of the graph, and the statuses of results."""
