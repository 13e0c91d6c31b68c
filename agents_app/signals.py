"""News for the apps to the left, which this one must not import."""

from django.dispatch import Signal

# Inside the journal's transaction, in its thread: `events`, a list of Event. For rows that must never disagree with
# the journal. A receiver that raises undoes the commit.
events_committing = Signal()

# A process begins to run tasks: `runtime`, whose `beside` runs something else as long.
runtime_starting = Signal()

# A remote agent went down or came back, or its card changed or was accepted: `remote`, with its agent. In any thread.
remote_agent_changed = Signal()
