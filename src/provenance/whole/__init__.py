"""The rung *whole*: every record of every file judged, by itself and against the others.

Reads bytes by code of its own, so that the writer's faults are not the auditor's.
"""
