"""Move open connections to another process or host: their state, tunnels (relays for clients whose session is on another host), and checks of the
other host's liveness.
"""
