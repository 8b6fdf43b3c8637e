"""The database behind the core's ports. Rows never leave this folder."""
