"""Connect the processes of a host: ipc links, their peers and names."""
