"""Parts of `scripts/bench` that are too long to stand in it."""
