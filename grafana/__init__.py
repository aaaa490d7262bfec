"""Dashboards and alerts as code. Rule: what Grafana loads is generated; a test holds that it equals what this makes."""
