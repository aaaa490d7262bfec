"""Provide what every process needs: configuration, log, metrics, health checks, control of processes, secrets and tokens. Imports no other package of
the server.
"""
