"""What looking at lines and asking for challenges cost. Rule: the service's own parts, as they ship."""
