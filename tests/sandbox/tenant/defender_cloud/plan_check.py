# SPDX-License-Identifier: GPL-3.0-or-later
"""The check for the plan Defender CSPM."""

from __future__ import annotations

from ..arm.errors import arm_error
from ..arm.routes import ArmRequest


def require_plan(request: ArmRequest) -> None:
    """Refuse the request if Defender CSPM is off.

    That governance and integrations need the plan is documented
    (docs/facts/defender_for_cloud.md#connecting-servicenow, docs/facts/defender_for_cloud.md#automatic-tickets). Status
    and code are LIKELY; the message is the one reported for another feature that needs a plan.
    """
    if not request.arm.has_plan(request.scope):
        text = (
            "Subscription is not in the Standard or Standard Trial subscription plan. "
            "Please upgrade to use the feature."
        )
        raise arm_error(403, "SubscriptionNotInStandardPlan", text, target="CloudPosture")
