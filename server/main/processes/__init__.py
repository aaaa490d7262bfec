"""Put together what each process of a host is: a worker, the frontend, the hub, and the group that a supervisor starts."""
