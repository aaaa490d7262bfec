"""The typed asyncio client of the native protocol. Rule: imports nothing of the server; it knows the wire only."""
