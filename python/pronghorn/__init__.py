"""pronghorn: neural networks on CPUs, under the API that Keras users know."""

from pronghorn.version import __version__, version

__all__ = ["__version__", "version"]
