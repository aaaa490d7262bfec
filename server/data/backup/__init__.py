"""Back up the database, and keep the state that a restore must not set back. Restoring is server.data.store.restore."""
