"""The moderators' console: a port of its own, never the public one. Rule: who may do what stands in roles.py, and console_gate.py alone asks.

browser ─► gate (session, role, step-up, own page) ─► a handler ─► server.trust.desk.case_desk ─► store
             │                                            └► pages (templates/)
             └► accounts, passkeys, sessions, approvals ─► store
"""
