"""In what coordinates do networks keep cyclic variables? See `__main__`."""
