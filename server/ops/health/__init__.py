"""How the server itself is: its background tasks, and what a load balancer or an orchestrator is told."""
