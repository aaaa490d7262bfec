"""Generate load: clients, simulated users, cut connections, upgrades. Each bench asserts its result."""
