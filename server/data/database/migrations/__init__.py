"""Hold the migrations of the schema, one file per revision, as Alembic runs them."""
