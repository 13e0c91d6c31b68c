"""What can go wrong with a language model, in words for the person who waits for the answer."""

from __future__ import annotations

from pydantic_ai import exceptions as raised

from agents_app.brains.errors import BrainError

Retryable = bool
OPERATOR = "Somebody who runs this server has to look at it."
AGAIN = "Try again in a moment."

# The first class that fits wins, so the special ones stand above those they descend from.
_WORDS: tuple[tuple[type[Exception], str, Retryable], ...] = (
    (raised.ModelAuthenticationError, f"{{who}} did not accept the API key. {OPERATOR}", False),
    (raised.ModelQuotaExceededError, f"The account at {{who}} has no credit left. {OPERATOR}", False),
    (raised.ModelNotFoundError, f"{{who}} does not know the model “{{model}}”. {OPERATOR}", False),
    (raised.ModelContextWindowExceededError, "This conversation has become too long for {model}.", False),
    (raised.ModelRateLimitError, f"{{who}} gets more requests than it allows. {AGAIN}", True),
    (raised.ModelOverloadedError, f"{{who}} is overloaded. {AGAIN}", True),
    (raised.ModelUnavailableError, f"{{who}} is not available. {AGAIN}", True),
    (raised.ModelServerError, f"{{who}} had a fault of its own. {AGAIN}", True),
    (raised.ModelTimeoutError, f"{{who}} did not answer in time. {AGAIN}", True),
    (raised.ModelRequestTimeout, f"{{who}} did not answer in time. {AGAIN}", True),
    (raised.ModelConnectionError, f"The connection to {{who}} failed. {AGAIN}", True),
    (raised.ContentFilterError, "{who} declined to answer this.", False),
    (raised.UsageLimitExceeded, "The answer took more steps than are allowed.", False),
    (raised.IncompleteToolCall, "{model} reached its length limit in the middle of a tool call.", True),
    (raised.UnexpectedModelBehavior, "{model} gave an answer that makes no sense here. Try again.", True),
)


def broke_off(who: str) -> BrainError:
    return BrainError(f"The answer of {who} broke off. Try again.", retryable=True)


def explain(error: Exception, *, who: str, model: str) -> BrainError:
    """`who` is the provider as people know it, `model` the language model's name."""
    for kind, words, retryable in _WORDS:
        if isinstance(error, kind):
            return BrainError(words.format(who=who, model=model), retryable=retryable)
    if ended_too_soon(error):
        return broke_off(who)
    return BrainError(f"{who} refused the request: {_said_by_provider(error)}")


def may_succeed_later(error: Exception) -> bool:
    return next((retryable for kind, _, retryable in _WORDS if isinstance(error, kind)), ended_too_soon(error))


def ended_too_soon(error: Exception) -> bool:
    """pydantic-ai's only error of a provider without a kind of its own: the stream ended, and nothing had said so."""
    return type(error) is raised.ModelAPIError and "finish_reason" in error.message


def _said_by_provider(error: Exception) -> str:
    """The provider's own sentence when it sent one, never a dump of the whole body."""
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else None
    message = inner.get("message") if isinstance(inner, dict) else None
    return str(message or error)[:300]
