"""Declare the transfer of a group, with one owner at each moment (transfer.py), compiled without types of its own."""
