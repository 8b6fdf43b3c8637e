"""Markdown on its way to Telegram.

`render` makes text with entities of it, `rich` the Markdown of rich messages; the others are steps
on the way to either. Pure functions.
"""
