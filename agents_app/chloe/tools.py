"""What Chloe can do besides talking."""

from agents_app.tools import ask_agent, calculate, web_page

TOOLS = (web_page, calculate, ask_agent)
