from ops.models.backup import Backup
from ops.models.order import Order, OrderAnswer
from ops.models.pages import LogFile, OpenSocket

__all__ = ["Backup", "LogFile", "OpenSocket", "Order", "OrderAnswer"]
