"""Export of a policy as source code that needs no HL, one file a target language."""
