"""Accept reports and answer reporters: intake, receipts, routes, help lines."""
