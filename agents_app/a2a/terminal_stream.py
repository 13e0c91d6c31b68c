from __future__ import annotations

from typing import Protocol

from a2a.types import a2a_pb2 as wire

from agents_app.a2a.command_line import artifact_text, parts_text, state_word

ANSWER = "answer"  # what an agent says, as other servers and this one call the artifact


class Output(Protocol):
    def write(self, text: str, *, ending: str = "\n") -> object: ...

    def flush(self) -> None: ...


class StreamOnTerminal:
    """Shows what an agent sends: what it says on one output, what it does on the other."""

    def __init__(self, out: Output, aside: Output) -> None:
        self._out = out
        self._aside = aside
        self._artifact = ""  # the one that is being written
        self._known = ""  # the task
        self._status = ""
        self._open = False  # a line has been begun
        self.state = ""

    def note(self, event: wire.StreamResponse, *, silent: bool = False) -> None:
        kind = event.WhichOneof("payload")
        if kind == "message":
            self.state = "completed"  # a plain answer, without a task
        elif kind == "task":
            self.state = state_word(event.task.status.state)
        elif kind == "status_update":
            self.state = state_word(event.status_update.status.state)
        if not silent:
            self._show(event, kind or "")

    def end(self, *, silent: bool = False) -> None:
        if self._open and not silent:
            self._out.write("")
        self._open = False

    def _show(self, event: wire.StreamResponse, kind: str) -> None:
        if kind == "message":
            self._say(parts_text(event.message.parts))
        elif kind == "task":
            self._show_task(event.task)
        elif kind == "status_update":
            self._show_status(event.status_update.status)
        elif kind == "artifact_update":
            self._show_artifact(event.artifact_update.artifact, event.artifact_update.append)

    def _show_task(self, task: wire.Task) -> None:
        if task.id != self._known:
            self._known = task.id
            self._note(f"task {task.id} in context {task.context_id}")
        for artifact in task.artifacts:
            self._show_artifact(artifact, append=False)
        self._show_status(task.status)

    def _show_status(self, status: wire.TaskStatus) -> None:
        words = f"{state_word(status.state)}: {parts_text(status.message.parts)}".removesuffix(": ")
        if words != self._status:
            self._status = words
            self._note(words)

    def _show_artifact(self, artifact: wire.Artifact, append: bool) -> None:
        if artifact.artifact_id != self._artifact:
            self.end()
            if artifact.name and artifact.name != ANSWER:
                self._note(f"artifact {artifact.name}")
        elif not append:
            self.end()  # written anew
        self._artifact = artifact.artifact_id
        self._say(artifact_text(artifact))

    def _say(self, text: str) -> None:
        self._out.write(text, ending="")
        self._out.flush()
        self._open = self._open or bool(text)

    def _note(self, words: str) -> None:
        self.end()
        self._aside.write(f"· {words}")
