"""LIBRARY: units for users, written as a user would: of StreamPy they import `streampy` alone."""
