"""The other segments of a process, as one of them knows them: what goes there, what comes from there. No sockets."""
