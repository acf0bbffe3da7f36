"""The study of variable binding (Wu, Geiger & Millière, 2025)."""
