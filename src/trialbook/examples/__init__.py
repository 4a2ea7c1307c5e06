"""Programs to run, read and copy. They use only the public names of ``trialbook``."""
