"""Facts about the memory that nobody wrote down: guessed, sifted and proved, to help induction."""
