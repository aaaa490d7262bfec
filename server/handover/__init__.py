"""A process hands everybody over to the next one. Rule: at every moment exactly one process has a person."""
