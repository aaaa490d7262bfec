"""Declare counters of migrated users (migration_counts.py), compiled without types of its own."""
