"""What people may ask about their own data, and how they prove who they are. Rule: nothing of the engine is known here, nor changed."""
