"""Push notifications: the events of a task, posted to the addresses its owner gave.

1. `configs.py` keeps where to post (A2A's TaskPushNotificationConfig), checked by `targets.py`, secrets encrypted.
2. `outbox.py` writes a PushDelivery for each event and configuration, in the transaction of the event.
3. `sender.py` empties the outbox: one lane per configuration, in the order of the task, many lanes beside each other.
4. `deliveries.py` is what a lane does to the database: claim, record, put off, give up, send again.
5. `post.py` is one try over HTTP.
"""
