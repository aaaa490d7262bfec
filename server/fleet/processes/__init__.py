"""Several processes of one host: a supervisor, a hub, an office and workers."""
