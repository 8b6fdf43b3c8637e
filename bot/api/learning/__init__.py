"""What models refuse, each in its own way: read out of their words, remembered, and heeded."""
