"""Watch the health of this server: background tasks, load, TLS certificates, and the health endpoints."""
