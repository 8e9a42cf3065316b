"""Bad input through the real command line: what is said, how it ends, and what is left behind."""
