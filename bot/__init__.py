"""Chinwag: an LLM assistant that people talk to in Telegram and Slack."""
