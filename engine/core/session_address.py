"""Define the address of a session: its id.

Sessions know each other by address only and communicate over the bus.
**Invariant:** all sessions of one chat are in the same process; they migrate together (`engine.migrate.session_moves`).
"""

Address = int  # the session's id
