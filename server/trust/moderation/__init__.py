"""Moderation: what people report reaches a person, and what is decided reaches them. Rule: people decide, machines slow down.

report (engine) ─▷ intake ─▷ cases ─▷ desk (an operator decides) ─▷ receipts (what the reporter reads)
                     └── evidence: the server's own text of that chat, sealed
"""

from ext import plain

plain.choose()
