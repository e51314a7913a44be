"""What `peers.py` measures. What lies in `adapters/`, and what that imports, runs where there is no StreamPy."""
