"""The caller's commands in the caller's environment: processes, limits, environments."""
