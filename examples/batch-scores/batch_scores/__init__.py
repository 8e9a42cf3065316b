"""Two scores a night: will it rain in Seattle tomorrow, and how far does a car go on a gallon."""
