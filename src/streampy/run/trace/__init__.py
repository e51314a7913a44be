"""Traces of some items, for OpenTelemetry: where none are made, a batch costs one look whether."""
