"""Back end that generates one NumPy function for a program."""
