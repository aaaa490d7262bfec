"""Read the operator's manual: its pages, the run-book's entries, a search."""
