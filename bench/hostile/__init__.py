"""Run hostile scripts beside fifty chatting pairs: which defence stops them, and whether the pairs notice. Loopback only."""
