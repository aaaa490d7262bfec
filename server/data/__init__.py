"""Keep data and let it go: the store, the privacy registry with its statement and purge, saved logs. Imports server.http and server.ops."""
