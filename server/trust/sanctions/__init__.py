"""Keep sanctions: what can follow from a case, bans and notices in memory and in the store."""
