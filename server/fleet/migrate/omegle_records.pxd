"""Programs of Omegle's protocol that go along. Rule: see omegle_records.py; compiled as it stands."""
