"""The client of an OpenAI-compatible API."""
