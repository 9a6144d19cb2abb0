"""HTML report on a run: `write_report` reads the run folder, records videos and writes one page."""
