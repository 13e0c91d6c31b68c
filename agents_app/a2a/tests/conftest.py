from agents_app.tests.conftest import internet

__all__ = ["internet"]
