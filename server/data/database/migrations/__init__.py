"""Hold the schema migrations that Alembic runs, one file per revision."""
