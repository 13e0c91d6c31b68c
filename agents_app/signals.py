"""News for the apps to the left, which this one must not import."""

from django.dispatch import Signal

# Inside the journal's transaction, in its thread: `events`, a list of Event, and `new`, the rows that are inserted with
# them. For rows that must never disagree with the journal. A receiver that raises undoes the commit.
events_committing = Signal(use_caching=True)

# A process begins to run tasks: `runtime`, whose `beside` runs something else as long.
runtime_starting = Signal()

# A remote agent went down or came back, or its card changed or was accepted: `remote`, with its agent. In any thread.
remote_agent_changed = Signal()

# The journal has committed: `entries`, how many in one transaction, and `seconds`, how long it took. In its thread.
journal_committed = Signal(use_caching=True)

# A call over A2A was answered: `binding`, `operation` as the caller named it, `outcome` (ok, refused: the caller's
# mistake, failed: ours) and `seconds`.
call_answered = Signal(use_caching=True)

# A push notification was tried: `attempt`, and `state`, what its delivery is now. In any thread.
push_attempted = Signal(use_caching=True)
