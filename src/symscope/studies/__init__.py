"""One script per published result."""
