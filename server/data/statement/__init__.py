"""Publish the privacy statement of this deployment: its document, versions, changes, translations and routes."""
