"""What was sent and not taken yet. Rule: see in_flight.py; compiled as it stands."""
