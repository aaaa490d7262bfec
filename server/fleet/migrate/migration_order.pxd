"""Who goes next. Rule: see people.py; compiled as it stands."""
