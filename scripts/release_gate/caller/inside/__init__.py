"""Scripts without dependencies that the caller's Python runs: Parquet and JSON in and out."""
