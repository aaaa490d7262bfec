"""Connect a host to NATS, the message bus between the hosts of a cluster."""
