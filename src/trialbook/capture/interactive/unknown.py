"""What tells that a figure has to stay a picture."""


class Unknown(Exception):
    """The figure has something that is not converted."""
