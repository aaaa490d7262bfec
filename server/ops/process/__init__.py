"""Provide what a process needs from the operating system: standard error, signals, sockets, file ownership, CPU times, its successor in an upgrade.

**Invariant:** modules here import nothing of this project but each other (and `engine.views`, for the status).
"""
