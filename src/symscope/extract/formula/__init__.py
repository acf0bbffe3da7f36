"""From rows of integers to the shortest expression that gives one column from the others."""
