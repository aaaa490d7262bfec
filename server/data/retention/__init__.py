"""Delete data when its retention ends: the purge, requested deletions, expiry of cases and requests, legal holds, monthly counts."""
