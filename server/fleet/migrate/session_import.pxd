"""Declare the import of sessions that another process of this host sends (session_import.py), compiled without types of its own."""
