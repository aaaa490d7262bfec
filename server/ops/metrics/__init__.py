"""Declare, collect and serve the metrics. **Invariant:** parts count while they work; metrics are read only at a scrape."""
