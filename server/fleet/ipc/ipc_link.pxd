"""The link of two processes of one host. Rule: see ipc_link.py; compiled as it stands."""
