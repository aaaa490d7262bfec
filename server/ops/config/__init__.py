"""Settings, where each came from, and the reference page about them. Rule: nothing here starts anything."""
