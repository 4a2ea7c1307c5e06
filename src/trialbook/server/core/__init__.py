"""Rules that depend on nothing: status moves, projection, the hub of live updates, the data folder's lock."""
