"""Measure the cost of migrating a session to another process. The path is the service's, and every session must be there at the end."""
