"""Protect users: moderation, screening, pictures, challenges, the moderators' console, and data requests. Imports server.data and below."""
