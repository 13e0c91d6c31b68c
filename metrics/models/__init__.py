from metrics.models.process import Process
from metrics.models.sample import Figures, Sample

__all__ = ["Figures", "Process", "Sample"]
