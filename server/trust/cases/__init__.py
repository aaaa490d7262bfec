"""Keep cases: what several people report about one person, with its queue, pictures and disclosure."""
