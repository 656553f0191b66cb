"""`python -m pronghorn` is the command `pronghorn`."""

import sys

from pronghorn.cli import main

sys.exit(main())
