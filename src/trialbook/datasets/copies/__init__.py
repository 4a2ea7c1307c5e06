"""From a version to folders: what is near, making a copy, shared views, checking everything."""
