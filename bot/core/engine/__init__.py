"""Takes events in and works on them: one turn at a time in a chat, in order, none lost."""
