"""Drawing: what was ordered, what it begins with, and how it comes into the chat."""
