"""Save, show and delete chat logs: rows, sealed objects, quotas, rendering, and the routes."""
