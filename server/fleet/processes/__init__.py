"""Connect the worker processes of one host: links, look-up and migration of sessions between workers, drain of a worker, evacuation, and connections
forwarded between frontend and worker.
"""
