"""Manage the console's accounts: roles, passkeys, sessions, shifts, and approvals by a second moderator."""
