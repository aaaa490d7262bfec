"""What was sent and not taken yet. Rule: see flight.py; compiled as it stands."""
