"""Manage moderators: accounts of the console, roles, passkeys, sessions, shifts, and approvals by a second moderator."""
