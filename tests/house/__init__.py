"""Check the shape of the code that ARCHITECTURE.md describes. Invariant: lists of exceptions only shrink."""
