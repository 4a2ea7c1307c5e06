"""What a run leaves: reports, artifacts, models, and the storages that take them."""
