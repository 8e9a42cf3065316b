"""Sealed packages and the ledger, in stores."""
