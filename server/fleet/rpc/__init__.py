"""Send requests from host to host: client, server, envelope, seal, the answer of a node about itself."""
