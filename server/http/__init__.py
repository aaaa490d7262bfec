"""Handle what all HTTP requests have in common: client address, limits, headers, HTML documents, and sentences in each language."""
