"""From files to sealed packs: every byte is read once."""
