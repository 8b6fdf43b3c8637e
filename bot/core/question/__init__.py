"""What people send: words, pictures, speech and documents, as a model is asked about them."""
