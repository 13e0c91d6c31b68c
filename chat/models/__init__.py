from chat.models.conversation import Conversation
from chat.models.participant import Participant

__all__ = ["Conversation", "Participant"]
