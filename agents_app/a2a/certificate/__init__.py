"""The certificate of an agent: what it does when it is really called, line by line, with what went over the wire.

`examination.py` asks the questions in their order; they are in `card_probes.py`, `access_probes.py`, `message_probes.py`,
`stream_probes.py`, `error_probes.py` and `extra_probes.py`. Calls are made over plain HTTP (`calls.py`), not by a client
that mends what it gets. `targets.py` says who is called and with what, `shelf.py` keeps the outcome, `desk.py` does the work
beside the runtime, on demand and once a day.
"""
