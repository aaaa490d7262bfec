"""Keep sanctions: the measures that a decision can have, bans and notices, in memory and in the store."""
