"""Drawing for the report: SVG charts and the lineage tree."""
