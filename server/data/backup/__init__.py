"""Back up the database and keep what a restore must not set back. Restoring is server.data.store.restore."""
