"""Open one database, SQLite or PostgreSQL: connections, locks, schema migrations, partitions, bulk inserts."""
