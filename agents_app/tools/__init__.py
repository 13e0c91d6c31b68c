"""The tools that come with the product. An agent lists those it may use in its `tools`."""

from agents_app.tools.ask_agent import ask_agent
from agents_app.tools.calculate import calculate
from agents_app.tools.current_time import current_time
from agents_app.tools.weather import weather
from agents_app.tools.web_page import web_page

__all__ = ["ask_agent", "calculate", "current_time", "weather", "web_page"]
