"""HTML and SVG building blocks of a report: escaped markup, style sheet, score chart, lineage graph."""
