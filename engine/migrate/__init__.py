"""Export sessions to another process and import them: session records, their fields and versions."""
