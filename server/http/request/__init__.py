"""What every HTTP request meets, whichever part of the service answers it. Rule: no part of the service stands here."""
