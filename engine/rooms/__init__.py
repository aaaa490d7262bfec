"""Keep one waiting room, for one process or for several: the local room, the hub with its rows and checks, a worker's remote room, placement."""
