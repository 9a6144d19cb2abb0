"""Parts that every folder may import: errors, diagnostics, source text and positions, JSON values, files, cache folder."""
