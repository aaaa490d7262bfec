"""How people leave a process. Rule: see way.py; compiled as it stands."""
