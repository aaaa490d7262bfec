"""Keep data and delete it: the store, the privacy registry, the statement made of it, the purge, saved logs. Imports server.http and server.ops."""
