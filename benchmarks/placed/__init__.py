"""What `places.py` measures: a file for each way, and one that runs a way alone."""
