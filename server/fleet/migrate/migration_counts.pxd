"""What a process counts of people who move. Rule: see migration_counts.py; compiled as it stands."""
