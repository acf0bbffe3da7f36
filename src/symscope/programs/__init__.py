"""Ways to write a program down."""
