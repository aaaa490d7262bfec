"""Declare the links of one process (ipc_peers.py), compiled without types of its own."""
