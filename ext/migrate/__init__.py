"""Move a connection to another process or host: release and take, tunnels and whether their other end is alive. Imports ext.net and ext.accept."""
