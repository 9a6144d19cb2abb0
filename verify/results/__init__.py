"""Results of a proof: records, text and JSON, and counterexample files."""
