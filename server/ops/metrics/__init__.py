"""Declare, collect and serve the metrics.
**Invariant:** the code that is measured only counts; metrics are computed at a scrape.
"""
