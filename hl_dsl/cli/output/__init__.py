"""Output that commands share: JSON documents, text, errors, progress and interrupts."""
