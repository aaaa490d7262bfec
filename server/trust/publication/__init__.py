"""Publish moderation: monthly figures, and notices that anybody may send."""
