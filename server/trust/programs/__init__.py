"""Run helper processes that read untrusted input, such as chat lines and pictures."""
