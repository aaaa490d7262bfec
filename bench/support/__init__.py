"""What many benches use: the machine, processes, results, documents, plots. Rule: it imports no other part of `bench`."""
