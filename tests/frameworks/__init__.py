"""Programs that use other libraries: what Trialbook sees of them."""
