"""What an operator can get wrong, looked at before people come. Rule: a check says in one line what is, and where it is not well, what to do."""
