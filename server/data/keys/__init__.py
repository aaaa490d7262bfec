"""Make keyed and encrypted values of persons: epoch keys and pseudonyms."""
