"""Rules of prose that hold for code, messages, docs and tests."""
