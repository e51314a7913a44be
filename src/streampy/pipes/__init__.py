"""CARRYING: how batches get from one unit to the next; one interface, one file a way. No unit is called in here."""
