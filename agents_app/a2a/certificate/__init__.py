"""The certificate of an agent: what it does when it is really called, line by line, with what went over the wire.

`examination.py` asks the questions in their order; they are in `card_probes.py`, `access_probes.py`, `message_probes.py`,
`stream_probes.py`, `error_probes.py` and `extra_probes.py`. What they call is in `calls.py`, and how it is done in
`http_calls.py`, `grpc_calls.py` and `legacy_calls.py`; `passing_by.py` shows what went over the wire. `targets.py` says who
is called and with what, `shelf.py` keeps the outcome, `desk.py` does the work beside the runtime, on demand and once a day.
"""
