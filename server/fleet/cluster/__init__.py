"""Several hosts that are one service: who they are, and what they tell each other.

Rule: what comes from another host is sealed by the service's secret.
"""
