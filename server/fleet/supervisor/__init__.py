"""Start, watch and replace the processes of a host, and carry out orders of its operator."""
