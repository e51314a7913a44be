"""LIBRARY: units for users, written as a user would: nothing in here imports more of StreamPy than `streampy` itself."""
