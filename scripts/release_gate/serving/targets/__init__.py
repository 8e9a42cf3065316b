"""What holds the traffic: starts versions, routes shares to them, reads back what is routed, and lets go of them."""
