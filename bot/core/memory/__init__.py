"""What a model is told of a conversation: what fits its window, and what stands for the rest."""
