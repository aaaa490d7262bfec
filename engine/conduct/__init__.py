"""Count the conduct of users and derive its consequences: friction, search rate, age answers, video pauses, camera verdicts.

The modules are pure tables, bounded, in memory; their state migrates with a session.
"""
