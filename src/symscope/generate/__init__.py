"""Can a network be written whose algorithm is readable? Weights from hypernetworks, and reading."""
