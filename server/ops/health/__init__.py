"""Watch this server's own health: background tasks, load, certificates, and the answers of its health endpoints."""
