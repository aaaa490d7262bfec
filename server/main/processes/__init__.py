"""Assemble and run each process of a host with several: the workers, the frontend, the hub, and the supervisor's group."""
