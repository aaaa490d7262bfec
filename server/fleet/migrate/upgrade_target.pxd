"""Declare the receiver of what the old process sends (upgrade_target.py), compiled without types of its own."""
