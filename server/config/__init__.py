"""Settings, where each came from, and the manual's page about them. Rule: nothing here starts anything."""
