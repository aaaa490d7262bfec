"""Keep data requests: their states, log, limits, proofs and rights keys."""
