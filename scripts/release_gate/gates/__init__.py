"""What each gate concludes from facts already gathered: pure, one module a gate."""
