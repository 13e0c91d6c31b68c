from metrics.models.process import Process

__all__ = ["Process"]
