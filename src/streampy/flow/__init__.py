"""DECISIONS: what to hand over, join, order and count; `now` is an argument, nothing waits, nothing is sent."""
