"""Provide what many benches share: the machine, processes, results, documents, plots. It imports no other part of `bench`."""
