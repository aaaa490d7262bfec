"""Run several processes, and several hosts, as one service: sockets between processes, their supervisor, migration of sessions, upgrades and the
cluster. This package may import every other wing except `server.main`.
"""
