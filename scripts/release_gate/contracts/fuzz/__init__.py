"""Values at the edges of a contract, made the same for the same seed."""
