"""Answer an access request: what is stored of one person, as JSON, CSV and a ZIP archive."""
