"""MCP server that serves an interactive study to a language model: its tools and their replies."""
