"""What comes from the old process. Rule: see taking.py; compiled as it stands."""
