"""Measure the cost of screening lines and pictures and of challenges, with the service's own parts."""
