"""Reads documents, in a process of its own: what stands here is never imported by the bot.

A hostile file meets a process without secrets, with limits of memory and time. `contents` is the
way in; each kind of file has a module.
"""
