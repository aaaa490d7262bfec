"""Serve the moderators' console on a port of its own, never the public one.

**Invariant:** permissions are in roles.py, and console_gate.py alone checks them.

browser ─► gate (session, role, step-up, own page) ─► a handler ─► server.trust.decisions.case_work ─► store
             │                                            └► pages (templates/)
             └► accounts, passkeys, sessions, approvals ─► store
"""
