"""Provide what every process needs: configuration, log, metrics, health checks, process control, secrets and tokens. Imports no other package of
the server.
"""
