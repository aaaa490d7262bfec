"""The service at the size of the internet, on paper: what was measured times how many there would be. Rule: nothing is measured here."""
