"""Serve the page's files and the machine-readable documents: bundles, earlier versions of the page, OpenAPI and AsyncAPI."""
