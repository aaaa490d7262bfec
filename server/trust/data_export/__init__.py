"""Export one person's stored data (access request) as JSON, CSV and a ZIP archive."""
