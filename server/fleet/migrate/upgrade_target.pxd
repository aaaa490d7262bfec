"""What comes from the old process. Rule: see upgrade_target.py; compiled as it stands."""
