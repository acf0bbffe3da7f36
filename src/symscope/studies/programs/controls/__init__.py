"""The controls beside the 62 tasks: what has to fail, and how often it does."""
