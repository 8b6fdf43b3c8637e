"""One answer, from the question to what stands under it."""
