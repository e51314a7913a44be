"""LIFE elsewhere: workers in other OS processes. No lock is shared with them, and nothing waits for one without end."""
