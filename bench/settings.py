"""The product's settings, with one more app: the agent and the commands of the benchmarks."""

from tkr_chat.settings import *  # noqa: F403
from tkr_chat.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "bench"]

CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}  # of a peer, see peers.py
