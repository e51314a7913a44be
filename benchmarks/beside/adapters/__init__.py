"""A file for each peer, with one entry: `run(job)`. Written as the peer's own documentation advises."""
