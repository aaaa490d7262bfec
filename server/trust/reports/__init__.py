"""Take reports and answer reporters: intake, receipts, the routes, help lines."""
