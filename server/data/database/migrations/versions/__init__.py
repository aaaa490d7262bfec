"""The changes of the schema, in order. Rule: a file here is never edited after it was released."""
