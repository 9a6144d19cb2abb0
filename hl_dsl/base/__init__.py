"""What every folder may import: user errors, diagnostics, source text, files and JSON values."""
