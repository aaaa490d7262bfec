"""Store and delete data: database, objects, saved chat logs, the registry of personal data, the privacy statement, retention. Imports only
server.http and server.ops.
"""
