"""Parts that every folder may import: errors, diagnostics, source text, JSON values, files, stage interfaces."""
