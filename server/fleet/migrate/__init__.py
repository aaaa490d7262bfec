"""Move sessions from one process to another: the transfer and its table of owners, the order of a drain, the upgrade of one process."""
