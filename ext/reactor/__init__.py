"""Serve all connections of a worker on one epoll set: accept, read, relay, send, time out. Imports all of ext but the matcher."""
