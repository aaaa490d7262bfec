"""The metrics by subject, each with the values of its labels. Rule: declarations only; `server/metrics/table.py` puts them together."""
