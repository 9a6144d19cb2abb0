"""Compiled back end: encodes a program as a tape of instructions and runs it with one numba interpreter."""
