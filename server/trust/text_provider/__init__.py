"""Ask a program or a server that the operator named about chat lines: the provider of text.

`provider_client` is the server's side: it starts the provider process, and receives its detections. `provider_process` runs in that process: it
receives lines from the screening process, writes them to the provider (`provider_program`), and reads its answers. `provider_protocol` is the
format of both, `provider_relay` a provider that asks a server, `try_provider` one conversation without a server.

**Invariant:** a dead, slow, lying or flooding provider delays no chat; what follows from its findings is bounded as for the text model.
"""
