"""Attack a running server, and measure what its other users notice. Each attack is one function, run in its own process."""
