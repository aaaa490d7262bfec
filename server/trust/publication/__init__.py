"""Publish moderation: monthly figures, and public notices of illegal content."""
