"""Serve the moderators' console, a web application on its own TCP port, never the public one.

**Invariant:** permissions are defined in `roles`, and `console_gate` alone checks them.

    browser ─► gate (session, role, passkey, own page) ─► a handler ─► server.trust.decisions.case_work ─► store
                 │                                            └► pages (templates/)
                 └► accounts, passkeys, sessions, approvals ─► store
"""
