"""The product some versions later."""

from tkr_chat.settings import *  # noqa: F403

VERSION = "99.0.0"
