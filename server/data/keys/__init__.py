"""Turn personal values into keyed hashes or ciphertext (pseudonyms), and manage the keys for that."""
