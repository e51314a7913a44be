"""The face in the terminal: one file a verb; what imports slowly is imported late, and nothing is decided in here."""
