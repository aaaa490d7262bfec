"""Declare the sender of sessions to another process (session_sender.py), compiled without types of its own."""
