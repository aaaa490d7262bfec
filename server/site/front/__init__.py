"""Serve the page's files and the machine-readable API documents: bundles, earlier versions of the page, OpenAPI and AsyncAPI."""
