"""Declare messages that were sent and not acknowledged yet (messages_in_flight.py), compiled without types of its own."""
