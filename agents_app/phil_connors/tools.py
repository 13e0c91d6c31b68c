"""What Phil can do besides complaining."""

from __future__ import annotations

from datetime import UTC, date, datetime

from agents_app.base import ToolResult, Turn, tool
from agents_app.tools import ask_agent, current_time, weather


@tool
async def groundhog_day(turn: Turn) -> ToolResult:
    """Count the days until the next Groundhog Day. Use it when somebody asks when that is."""
    today = datetime.now(UTC).date()
    day = next_groundhog_day(today)
    days = (day - today).days
    words = (
        "Groundhog Day is today." if days == 0 else f"It is {days} days until Groundhog Day, {day:%A}, {day:%d %B %Y}."
    )
    return ToolResult(words, {"days": days, "date": f"{day:%A}, {day.day} {day:%B %Y}"})


def next_groundhog_day(today: date) -> date:
    this_year = date(today.year, 2, 2)
    return this_year if today <= this_year else date(today.year + 1, 2, 2)


TOOLS = (weather, current_time, groundhog_day, ask_agent)
