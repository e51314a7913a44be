"""A module that can't be imported: it ends the program."""

import sys

sys.exit("not on this machine")
