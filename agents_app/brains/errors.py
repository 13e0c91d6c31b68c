from __future__ import annotations


class BrainError(Exception):
    """The brain could not answer. The text is fit to show; `retryable`: the same request may succeed later."""

    def __init__(self, text: str, *, retryable: bool = False) -> None:
        super().__init__(text)
        self.retryable = retryable
