"""What people may ask of their own data. Rule: nothing here is known to the matcher, so that asking changes nothing of how somebody is treated."""
