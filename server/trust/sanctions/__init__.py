"""Keep sanctions: the measures that a decision can have, and bans and notices to users, in memory and in the store."""
