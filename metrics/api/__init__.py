"""What operators' programs ask and change over REST, under /api/v1/admin/. Mounted by `tkr_chat/urls.py`."""

from metrics.api.alerts import router as alerts
from metrics.api.samples import router as samples

routers = (samples, alerts)
