"""Send requests from host to host over TCP, authenticated by the service's secret: client, server, envelope, seal, and the request HELLO."""
