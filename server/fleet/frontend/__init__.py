"""Exchange data between the frontend (the process with HTTP and the database) and the workers, and between the frontends of several hosts: records
to store, bans, notices, metrics, pictures.
"""
