"""Back up the database, and preserve the tables that a restore must not return to an older state. `server.data.store.restore` restores."""
