"""Export sessions to another process as session records, and import session records: fields, versions, and the migration itself."""
