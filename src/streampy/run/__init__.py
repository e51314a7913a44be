"""LIFE: workers that call units, from start to stop. What is decided is decided in `flow`, not here."""
