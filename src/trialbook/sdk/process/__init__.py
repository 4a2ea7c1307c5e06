"""What is done to the process of a run: watched, seeded, placed among its ranks, followed into workers."""
