"""Compute the service at ten million users on paper: measured costs times assumed numbers. Nothing is measured here."""
