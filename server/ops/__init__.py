"""Run a process: configuration, log, metrics, health, checks of its surroundings, secrets and tokens. Imports nothing of the server beside itself."""
