"""Deliver alerts to the operators: the configuration of Alertmanager, a test alert, the receiver of the heartbeat."""
