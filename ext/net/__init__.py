"""The data road: from a byte that came to a byte that leaves. Rule: it knows no asyncio and no policy."""
