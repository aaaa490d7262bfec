"""Declare the sessions that leave this worker or come to it (session_moves.py), compiled without types of its own."""
