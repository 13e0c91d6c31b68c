from ops.models.backup import Backup

__all__ = ["Backup"]
