"""The server of this process: the way to it, which ones are known, and the private one of an account."""
