"""Settings of hypothesis for machines that are busy: no deadline, and no complaint that an example was slow to draw."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

CALM = {"deadline": None, "suppress_health_check": list(HealthCheck)}
calm = settings(**CALM)
