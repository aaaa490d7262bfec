"""Programs of Omegle's protocol that go along. Rule: see clients.py; compiled as it stands."""
