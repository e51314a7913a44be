"""How a process is read from a file: text to plain values to checked keys; nothing in here runs, or knows the graph."""
