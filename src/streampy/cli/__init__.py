"""The face in the terminal: one file a verb; what takes long to import is imported in the verb, nothing decides in here."""
