"""Real data sets: `pronghorn.datasets.<name>.load_data()`.

`mnist_5k` is part of the package. The others are found at a given path, in the folder that the
environment variable `PRONGHORN_DATA` names, where Debian installs them, in the cache, or are
downloaded.
"""

from pronghorn.datasets import fashion_mnist, mnist, mnist_5k

__all__ = ["fashion_mnist", "mnist", "mnist_5k"]
