"""Connect the processes of one host by sockets (ipc links), and name the processes."""
