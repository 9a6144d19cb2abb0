"""HTML report of a run (`hl report`)."""
