"""Publish monthly figures of moderation, and accept public notices of illegal content."""
