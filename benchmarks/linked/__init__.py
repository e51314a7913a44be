"""Two programs that talk over TCP: by a link of StreamPy, by hand, and by what else one would take."""
