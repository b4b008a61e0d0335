"""Messages to people. What is sent leaves by the port `Mailer` (veloflux.context), from jobs, at least once; a message
has the id of its job, so that repeating is not sending twice.
"""

from veloflux.notifications.message import compose
from veloflux.notifications.outbox import (
    OutboxMessage,
    delete_message,
    delete_messages_to,
    list_messages,
    messages_to,
    read_message,
)
from veloflux.notifications.outbox_folder import OutboxFolder

__all__ = [
    "OutboxFolder",
    "OutboxMessage",
    "compose",
    "delete_message",
    "delete_messages_to",
    "list_messages",
    "messages_to",
    "read_message",
]
