"""CARRYING over TCP: safe bytes, frames, handshakes, connections. No unit, segment or who-sends-what in here."""
