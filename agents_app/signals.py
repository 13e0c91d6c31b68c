"""News for the apps to the left, which this one must not import."""

from django.dispatch import Signal

# Inside the journal's transaction, in its thread: `events`, a list of Event. For rows that must never disagree with
# the journal. A receiver that raises undoes the commit.
events_committing = Signal()
