from agents_app.models.agent import Agent
from agents_app.models.artifact import Artifact
from agents_app.models.attachment import Attachment
from agents_app.models.event import Event, EventType, JournalHead
from agents_app.models.message import Message
from agents_app.models.task import INTERRUPTED, RUNNABLE, TERMINAL, Step, Task, TaskState

__all__ = [
    "INTERRUPTED",
    "RUNNABLE",
    "TERMINAL",
    "Agent",
    "Artifact",
    "Attachment",
    "Event",
    "EventType",
    "JournalHead",
    "Message",
    "Step",
    "Task",
    "TaskState",
]
