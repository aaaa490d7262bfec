"""Load: clients, people, cuts, storms. Rule: each bench asserts its result."""
