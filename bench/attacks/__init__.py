"""What attackers do to a running server, and what others feel of it. Rule: one attack a function, in a process of its own."""
