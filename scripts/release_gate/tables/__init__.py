"""The only room that reads tables and runs queries on them."""
