"""Looking at files: which there are, which have changed, what they hold, how each wants to be stored."""
