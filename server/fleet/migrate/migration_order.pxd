"""Declare the order in which sessions migrate (migration_order.py), compiled without types of its own."""
