"""Run several processes and hosts as one service: ipc links, supervisor, migration of sessions, upgrades, the cluster. Imports all wings but main."""
