"""The way to the database: SQLite in threads, PostgreSQL over asyncio, and both used alike."""
