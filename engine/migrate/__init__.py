"""Export sessions to another process as session records, and import them: fields, versions and the moves themselves."""
