"""Where packages and ledger lie."""
