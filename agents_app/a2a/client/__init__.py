"""Remote agents: A2A agents elsewhere that take part in conversations here.

`card_file.py` reads a card, `preview.py` shows what adding it would mean, `actions/remote_agents.py` keeps it. A task of
such an agent is an `Errand` (`errand.py`): what is said there is said here. It speaks through a `Line` (`line.py`), the
SDK's client over our own connections. `health.py` looks after agents that do not answer, `waking.py` after what waits.
"""
