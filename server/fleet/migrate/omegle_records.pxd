"""Declare records of migrating clients of Omegle's protocol (omegle_records.py), compiled without types of its own."""
