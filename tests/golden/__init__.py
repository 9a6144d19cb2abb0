"""Golden data: programs, each with the recorded output of one stage, or in a folder named after its verdict."""
