"""What sparse dictionaries are worth, under one bench; run it with `python -m`."""
