"""Keep data requests (access, deletion, restriction): their states, log, rate limits, proofs of identity and rights keys."""
