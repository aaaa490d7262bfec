"""Count users' conduct and derive consequences: challenges (friction), search rate, age answers, video pauses, camera verdicts.

**Invariant:** the modules are bounded in-memory tables or pure functions; a user's entries migrate with the session.
"""
