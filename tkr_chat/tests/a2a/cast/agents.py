from __future__ import annotations

from agents_app.a2a.tests.edge import agents


class Clerk(agents.Clerk):
    pass


class Parrot(agents.Parrot):
    pass
