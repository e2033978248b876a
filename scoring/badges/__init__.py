"""Certificates as Open Badges 3.0: credentials that others' software can read and verify."""
