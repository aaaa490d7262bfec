"""Counts how the service is used, without identifiers: ended chats in memory, their sums per month in the database, the published means."""
