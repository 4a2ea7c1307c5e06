"""What a run without a server names."""

NO_SERVER = "http://127.0.0.1:8008"
"""Where a run without any server is said to be recorded, until it is sent."""
NOWHERE = f"{NO_SERVER}/files"
"""Where its files are said to be."""
DATASET_NOTE = "dataset.json"
"""The file of a session that holds a version of a dataset: its files are there, and no journal brings them."""
