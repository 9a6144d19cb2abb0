"""Goals of a proof: their names, statuses and limits, and the part of the graph that each is about."""
