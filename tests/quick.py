"""Settings with which training and searching take seconds."""

SMALL = ["--width", "32", "--epochs", "30", "--highest", "4", "--hold-out", ""]
QUICK = ["--steps", "5", "--most", "5", "--pairs", "64", "--no-fitted-controls"]
