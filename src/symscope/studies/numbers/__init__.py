"""The study of number variables (Grant, Goodman & McClelland, 2025)."""
