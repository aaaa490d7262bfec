"""Save, show and delete the chat logs that users choose to save: rows, encrypted objects, quotas, rendering, routes."""
