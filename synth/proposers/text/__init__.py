"""Parts that proposers of program texts share: the writer interface, paid calls, retries, gates and repairs."""
