"""Parse and build the JSON frames of the protocol: constants, client requests, server frames, WebRTC signals, refusals."""
