"""Delete data when its time is over: the purge, deletions on request, expiry of cases and requests, legal holds, monthly counts."""
