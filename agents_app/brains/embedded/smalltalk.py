"""Small talk that needs no thought. Each topic is a key of `Agent.voice`."""

from __future__ import annotations

import re

# The whole message has to be small talk, so that "Hi, what is a prime number?" goes on to the question.
_TOPICS: tuple[tuple[str, str], ...] = (
    ("greeting", r"(hi|hello|hey|hiya|howdy|yo|good (morning|afternoon|evening|day)|greetings|moin|hola|hallo|salut)"),
    ("how_are_you", r"(hi|hello|hey)?[ ,!]*(how are you|how are things|how do you feel|how's it going|what's up|sup)"),
    ("thanks", r"(many thanks|thanks|thank you|thx|ty|cheers|much appreciated)( (so|very) much| a lot)?"),
    (
        "praise",
        r"(that('s| is| was) |very |really )?(great|nice|perfect|cool|awesome|wonderful|good job|well done|love it)",
    ),
    ("farewell", r"(bye|goodbye|bye bye|see you|see ya|good night|ciao|farewell|talk to you later|until next time)"),
    ("joke", r".*\b(tell|know|got|make|another)\b.*\b(jokes?|something funny|me laugh)\b.*"),
    (
        "about",
        (
            r"(hi|hello|hey)?[ ,!]*(so )?(who|what) (are|r) (you|u)( exactly| really)?|introduce yourself"
            r"|tell me (something )?about (yourself|you)|what('s| is) your name"
        ),
    ),
    (
        "skills",
        (
            r"(hi|hello|hey)?[ ,!]*(so )?what (can|do) you (do|know|help)( for me| with| me with)?"
            r"|how can you help( me)?|help|what are (you|your) (good at|able to do|skills|tools)"
        ),
    ),
    (
        "brain",
        (
            r".*\b(which|what)( kind of| language)? (model|llm|brain|ai)\b.*\b(you|your|this)\b.*"
            r"|are you (an? )?(ai|bot|robot|human|real|chatgpt|language model).*"
            r"|.*\b(better|stronger|smarter|real) (model|brain|llm|ai)\b.*|why are you so (stupid|dumb|bad|slow).*"
        ),
    ),
    ("sorry", r".*\b(you('re| are) (wrong|useless|stupid|dumb)|that('s| is) (wrong|nonsense|not (true|right)))\b.*"),
    (
        "comfort",
        r".*\bi('m| am| feel)( feeling)?( so| very| really| a bit| a little)? (sad|down|lonely|depressed|unhappy)\b.*",
    ),
)
_PATTERNS = tuple((topic, re.compile(pattern, re.IGNORECASE)) for topic, pattern in _TOPICS)
_EXTRAS = re.compile(r"\b(there|everyone|all|again|today|please|you two|friend)\b|[^\w\s',]", re.IGNORECASE)


def find_small_talk(text: str, own_names: tuple[str, ...] = ()) -> str:
    """The topic, or nothing where the message is about something."""
    plain = text.replace("’", "'")
    for name in own_names:
        plain = re.sub(rf"@?\b{re.escape(name)}\b", "", plain, flags=re.IGNORECASE)
    plain = re.sub(r"\s+", " ", _EXTRAS.sub("", plain)).strip(" ,")
    return next((topic for topic, pattern in _PATTERNS if pattern.fullmatch(plain)), "")
