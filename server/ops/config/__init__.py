"""Define the settings, read them from their sources, and render their reference page. **Invariant:** nothing here starts anything."""
