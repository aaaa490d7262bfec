"""Connect a host to NATS."""
