"""What opens storages, and how their transfers are shown."""
