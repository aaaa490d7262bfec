"""Move sessions between hosts and tunnel their connections: source and target of a migration, evacuation, return of a visitor, search for a
session.
"""
