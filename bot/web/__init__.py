"""The bot's own web server: what platforms send to it, and how it is doing."""

from bot.web.settings import WebSettings

__all__ = ["WebSettings"]
