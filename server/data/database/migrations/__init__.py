"""Alembic's folder: one file a change of the schema. Rule: a migration is one transaction, so that a kill leaves it done or not done."""
