"""News for the apps to the left, which this one must not import."""

from django.dispatch import Signal

# A browser is signed out from elsewhere, or signs out: `session_key`. Its sockets must not listen on. In any thread.
session_ended = Signal()
