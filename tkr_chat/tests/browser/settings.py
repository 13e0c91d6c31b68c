"""The product as it is, with one more agent: one that does what a test needs to see."""

from tkr_chat.settings import *  # noqa: F403
from tkr_chat.settings import INSTALLED_APPS

INSTALLED_APPS += ["tkr_chat.tests.browser.cast"]
