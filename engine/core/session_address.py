"""Where a session is reached: by its id. Rule: a session knows others by their address only, and reaches them by the bus.

People who share a chat are in one process, always: who moves takes the others along (`engine.migrate.session_moves`).
"""

Address = int  # the session's id
