"""Benchmarks: run them by hand, one at a time, on a quiet machine. They print figures; nothing asserts a time."""
