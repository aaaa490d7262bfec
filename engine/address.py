"""Where a session lives. Rule: a session knows others by their address only, and reaches them by the bus."""

Address = tuple[int, int, int, int]  # node, worker, session, generation
