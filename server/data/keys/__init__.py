"""Make keyed and encrypted values of persons, and keep the keys: epoch keys and pseudonyms."""
