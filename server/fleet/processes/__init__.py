"""Run several processes of one host as one service: a supervisor, a hub, a frontend and workers. The parts of a process with sessions are here."""
