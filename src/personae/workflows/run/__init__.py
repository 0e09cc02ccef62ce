"""Training on a file for real, and the forecast scored against what was measured."""
