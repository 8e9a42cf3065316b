"""Metrics, intervals and tests on arrays; knows nothing of verdicts. Pure."""
