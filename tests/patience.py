"""How long tests wait for what must come."""

PATIENCE = 60.0
"""Seconds. It only ends a test that would hang: a machine that is busy, or stands still for some
seconds, must not make one fail."""
