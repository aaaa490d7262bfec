"""Run a helper process that reads what strangers sent."""
