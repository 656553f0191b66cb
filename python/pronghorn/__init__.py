"""pronghorn: neural networks on CPUs, under the API that Keras users know."""

__version__ = "0.1.0"
