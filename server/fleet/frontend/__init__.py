"""Exchange records, bans, notices, figures and pictures between workers and the frontend, and between frontends."""
