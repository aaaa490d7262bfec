"""Save, show and delete chat logs: rows, sealed objects, quotas, and the routes."""
