"""Keep one waiting room, of one process or of several: the room, the hub and its rows, the remote room of a worker, placement."""
