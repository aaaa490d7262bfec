"""Answer legal orders: which categories each kind of order opens, the orders themselves, and the package that leaves."""
