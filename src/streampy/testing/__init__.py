"""For tests: try a unit without a run, and check that a pipe keeps the contract. Part of the product."""

from streampy.testing.check_pipe import check_pipe
from streampy.testing.feed import feed

__all__ = ["check_pipe", "feed"]
