"""Events of the ledger folded into the state of a model. Pure."""
