"""Local stand-ins for Telegram, Slack and the API, spoken to over real HTTP and WebSocket."""
