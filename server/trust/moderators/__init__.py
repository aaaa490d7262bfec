"""Manage moderators: accounts of the console, roles, passkeys, sessions, break reminders, and approvals by a second moderator."""
