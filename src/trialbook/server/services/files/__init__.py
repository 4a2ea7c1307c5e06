"""Files that this server holds: what may replace them, and when they go."""
