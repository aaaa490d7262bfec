"""What people can ask for of their own data. Rule: nothing here knows the engine, so that no right costs anybody a chat."""
