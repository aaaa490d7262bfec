"""Handle what all HTTP requests have in common: client address, limits, headers, documents as pages, sentences in each language."""
