"""A release and its way back as real processes: commands that are killed, that race, and that find the world broken."""
