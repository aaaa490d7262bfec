"""Read and write the protocol: its numbers and sentences, requests, frames, signals, and the refusals of what is wrong."""
