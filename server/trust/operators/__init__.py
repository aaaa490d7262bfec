"""Know the operators of the console: accounts, roles, passkeys, sessions, shifts, approvals."""
