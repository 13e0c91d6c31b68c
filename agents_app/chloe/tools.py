"""What Chloe can do besides talking."""

from agents_app.tools import ask_agent, calculate, current_time, web_page

TOOLS = (web_page, calculate, current_time, ask_agent)
