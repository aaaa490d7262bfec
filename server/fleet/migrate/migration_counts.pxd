"""What a process counts of people who move. Rule: see tally.py; compiled as it stands."""
