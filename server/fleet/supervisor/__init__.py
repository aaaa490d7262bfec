"""Start, watch and replace the processes of a host, and carry out its operator's orders: drain, restart, upgrade."""
