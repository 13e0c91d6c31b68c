"""The tools that come with the product. An agent lists those it may use in its `tools`."""

from agents_app.tools.calculate import calculate

__all__ = ["calculate"]
