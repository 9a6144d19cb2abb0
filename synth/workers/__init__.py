"""Worker processes for evaluation: isolated, limited, and supervised, so that a crash does not end a study."""
