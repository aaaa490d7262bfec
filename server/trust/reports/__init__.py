"""Accept users' reports and tell reporters the outcome: intake, receipts, pages, help lines."""
