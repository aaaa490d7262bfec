"""Parse and build the frames of the protocol: its constants, requests, server frames, signals and refusals."""
