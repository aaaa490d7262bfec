"""Define the settings, read their values from all sources, and render their reference page."""
