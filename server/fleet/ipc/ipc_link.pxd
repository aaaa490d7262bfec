"""The link of two processes of one host. Rule: see link.py; compiled as it stands."""
