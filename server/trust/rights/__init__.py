"""Answer data requests: pages and API, proof of identity, deletion and its receipt.

**Invariant:** this package neither imports nor changes the engine.
"""
