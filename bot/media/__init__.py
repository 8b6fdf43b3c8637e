"""What people send besides words, made fit for the API."""
