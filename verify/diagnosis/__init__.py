"""What a proof attempt leaves to be said for the person who reads it. It changes no verdict."""
