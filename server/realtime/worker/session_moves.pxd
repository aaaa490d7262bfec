"""People who leave this worker or come to it. Rule: see moving.py; compiled as it stands."""
