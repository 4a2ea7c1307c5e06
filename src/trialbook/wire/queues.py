"""Wire types and methods of queues."""
