"""Declare the link of two processes of one host (ipc_link.py), compiled without types of its own."""
