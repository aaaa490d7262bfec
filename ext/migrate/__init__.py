"""Move connections to another process or host: release and take, tunnels, and the liveness of their other end. Imports ext.net and ext.accept."""
