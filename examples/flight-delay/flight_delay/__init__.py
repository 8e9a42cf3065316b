"""Will this flight out of New York be late? Asked an hour before it is due to leave."""
