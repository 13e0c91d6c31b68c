from agents_app.tests.runtime.conftest import agent, room

__all__ = ["agent", "room"]
