"""BYTES: shared memory between the OS processes of a segment, and what lies in it. Nothing is sent, nobody waits."""
