"""What became of a contract: each change, and what it asks of readers and writers."""
