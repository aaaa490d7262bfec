"""Serve the page's files and the machine-readable documents: bundles, versions before this one, OpenAPI and AsyncAPI."""
