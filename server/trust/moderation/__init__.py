"""Run moderation: pass reports to moderators, and their decisions to users. **Invariant:** people decide, programs only slow a user down.

report (engine) ─▷ intake ─▷ cases ─▷ a moderator decides ─▷ receipts (read by the reporter)
                     └── evidence: the server's own text of that chat, sealed
"""
