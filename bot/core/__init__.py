"""What the bot does; imports the standard library and `bot.errors`, nothing else."""
