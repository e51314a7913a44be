"""The HTTP API and the web page of all that runs: a program of its own, which knows segments by their sockets alone."""
