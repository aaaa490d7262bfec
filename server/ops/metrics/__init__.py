"""What the service counts, and how it is shown. Rule: counted where the work is done, read when somebody asks."""
