"""Protect people: moderation, screening, pictures, challenges, the console, and the rights over one's own data. Imports server.data and below."""
