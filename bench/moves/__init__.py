"""What it costs that a person moves to another process. Rule: all of the way is the service's, and everybody is there at the end."""
