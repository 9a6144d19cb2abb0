"""MCP server that serves an interactive study to a language model: tools and their replies."""
