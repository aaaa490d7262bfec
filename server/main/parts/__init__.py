"""The parts of one server process: how each is made, and how they are put together."""
