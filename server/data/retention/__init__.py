"""Delete data when its time is over: the purge, removal on request, expiry of cases, legal holds, monthly counts."""
