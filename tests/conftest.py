"""After each test nothing is left behind: see `streampy_leaks` in pyproject.toml."""
