"""Send requests from host to host: client, server, envelope, seal, hello."""
