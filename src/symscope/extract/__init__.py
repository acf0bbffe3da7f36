"""Which program? From a trained network to a short program that answers as it does."""
