"""Put parts together: the command line, the processes, what each is made of. Nothing imports it."""
