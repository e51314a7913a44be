"""WHAT a process is: frozen descriptions, checked when made; no threads, no sockets, no clocks in here."""
