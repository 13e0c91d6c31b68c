from agents_app.models.agent import Agent
from agents_app.models.artifact import Artifact
from agents_app.models.attachment import Attachment
from agents_app.models.certificate import Certified, OwnCertificate
from agents_app.models.event import Event, EventType, JournalHead, Via
from agents_app.models.message import Message
from agents_app.models.prompt_version import PromptVersion, newest_override
from agents_app.models.push import PushAttempt, PushConfig, PushDelivery
from agents_app.models.remote import RemoteAgent, RemoteTask
from agents_app.models.scheduled_run import ScheduledRun
from agents_app.models.signing_key import SigningKey
from agents_app.models.task import INTERRUPTED, PARKED, RUNNABLE, TERMINAL, Step, Task, TaskState
from agents_app.models.wire_message import WireMessage

__all__ = [
    "INTERRUPTED",
    "PARKED",
    "RUNNABLE",
    "TERMINAL",
    "Agent",
    "Artifact",
    "Attachment",
    "Certified",
    "Event",
    "EventType",
    "JournalHead",
    "Message",
    "OwnCertificate",
    "PromptVersion",
    "PushAttempt",
    "PushConfig",
    "PushDelivery",
    "RemoteAgent",
    "RemoteTask",
    "ScheduledRun",
    "SigningKey",
    "Step",
    "Task",
    "TaskState",
    "Via",
    "WireMessage",
    "newest_override",
]
