"""The members of ``Dataset``, one mixin per concern."""
