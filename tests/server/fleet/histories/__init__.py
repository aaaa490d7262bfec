"""Histories of whole hosts in one process, over a network that delays, doubles, reorders, drops and cuts, and with crashes at every point."""
