"""Who fits whom: interests, waiting tickets, pairs. Rule: mechanism only; what a good pair is says the engine."""
