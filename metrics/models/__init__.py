from metrics.models.alert import Alert, AlertDelivery, AlertRule, Silence
from metrics.models.process import Process
from metrics.models.sample import Figures, Sample

__all__ = ["Alert", "AlertDelivery", "AlertRule", "Figures", "Process", "Sample", "Silence"]
