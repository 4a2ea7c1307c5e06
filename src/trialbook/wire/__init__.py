"""What crosses the network: one file of msgspec structs per noun, and the table of methods (``wire.table``)."""
