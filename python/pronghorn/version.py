"""The version of the package."""

__version__ = "0.1.0"


def version() -> str:
    """Returns the version of pronghorn."""
    return __version__
