"""Where the running totals of production come from: Prometheus, an address, a command."""
