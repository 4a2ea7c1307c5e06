"""Datasets: versions, what they hold, and the files that they need."""
