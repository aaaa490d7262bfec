"""Keep requests about one's own data: their states, log, limits, proofs and keys."""
