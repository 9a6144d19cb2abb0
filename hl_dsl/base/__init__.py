"""Parts that every folder may import: errors, diagnostics, source text, JSON values, files, interfaces of the stages."""
