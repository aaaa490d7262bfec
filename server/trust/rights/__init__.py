"""Answer data requests: pages and API, proof of identity, deletion and its receipt. **Invariant:** nothing of the engine is known or changed."""
