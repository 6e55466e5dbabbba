"""Findings in the order of their importance: by requirement, and what one defect shows as besides folded under it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from rules_harness.reports.model import FindingGroup, FindingView

CASCADES: Final[Mapping[str, tuple[str, ...]]] = {
    "envelope.success": ("request-id.echo-body", "request-id.generated"),
    "envelope.rule-schema": ("update.created-at-kept", "update.updated-at"),
    "envelope.success-status": ("envelope.documented-status",),
    "envelope.error": ("validation.status", "envelope.error-code", "envelope.not-found-names-id"),
    "envelope.well-formed": ("envelope.success",),
    "request-id.echo-header": ("request-id.on-errors", "request-id.generated", "request-id.echo-body"),
    "auth.missing": (
        "auth.header-only",
        "auth.before-lookup",
        "auth.before-validation",
        "auth.challenge",
        "idempotency.auth-first",
        "auth.no-effect",
        "status.rejected-keeps",
    ),
    "auth.no-effect": ("status.rejected-keeps",),
    "authz.scope": ("authz.before-validation", "authz.no-effect", "idempotency.auth-first"),
    "authz.resource": ("authz.before-validation", "authz.no-effect"),
    "authz.organization": ("authz.no-effect", "authz.before-validation", "idempotency.per-caller"),
    "authz.no-effect": ("status.rejected-keeps",),
    "not-found.unknown-id": ("envelope.not-found-names-id",),
    "not-found.no-upsert": ("not-found.unknown-id", "not-found.odd-ids"),
    "update.read-back": ("status.stored", "update.omitted-is-cleared"),
    "update.repeatable": ("update.replaces", "update.read-back"),
    "update.documented-example": ("update.accepts-valid",),
    "update.omitted-is-cleared": ("update.replaces", "update.documented-example"),
    "update.steps-replaced": ("update.replaces",),
    "update.amounts-exact": ("update.replaces",),
    "status.enabled-becomes-disabled": ("status.stored", "status.not-triggerable", "concurrency.disabled"),
    "status.stored": ("status.not-triggerable", "concurrency.disabled", "update.read-back"),
    "status.stays-disabled": (
        "status.stored",
        "status.no-enable-by-body",
        "status.not-triggerable",
        "concurrency.disabled",
        "update.repeatable",
    ),
    "status.no-enable-by-body": ("status.stored",),
    "status.rejected-keeps": ("validation.atomic",),
    "status.replay-keeps": ("idempotency.no-reexecution",),
    "idempotency.replay": (
        "idempotency.no-reexecution",
        "idempotency.reuse-not-executed",
        "idempotency.concurrent",
        "idempotency.window",
        "status.replay-keeps",
    ),
    "idempotency.no-reexecution": ("status.replay-keeps",),
    "idempotency.reuse-not-executed": ("idempotency.concurrent",),
    "idempotency.per-caller": ("idempotency.per-rule",),
    "validation.size": ("validation.status",),
    "concurrency.isolated": ("concurrency.whole",),
}
"""What a defect against one requirement is seen as besides, as the faults of the embedded target prove."""


def grouped(findings: Iterable[FindingView]) -> tuple[FindingGroup, ...]:
    """The findings by requirement and level: what fails the gate first, and of it what explains most.

    Otherwise groups keep the order in which their findings are given.  Within one, what was seen most often is first.
    """
    left = sorted(_groups(findings), key=lambda group: (group.accepted, group.level != "must"))
    folded: list[FindingGroup] = []
    while left:
        lead = max(left, key=lambda group: (not group.accepted, group.level == "must", len(_explained(group, left))))
        also = _explained(lead, left)
        left = [group for group in left if group is not lead and group not in also]
        folded.append(msgspec.structs.replace(lead, also=tuple(also)))
    return tuple(folded)


def _groups(findings: Iterable[FindingView]) -> list[FindingGroup]:
    views: dict[tuple[bool, str, str], list[FindingView]] = {}
    for view in findings:
        views.setdefault((view.finding.accepted, view.finding.level, view.requirement.id), []).append(view)
    return [
        FindingGroup(own[0].requirement, level, accepted, tuple(sorted(own, key=lambda view: -view.finding.count)))
        for (accepted, level, _), own in views.items()
    ]


def _explained(lead: FindingGroup, groups: Sequence[FindingGroup]) -> list[FindingGroup]:
    """Of the other groups those that a defect against the lead's requirement is known to show as too."""
    known = CASCADES.get(lead.requirement.id, ())
    return [group for group in groups if group.accepted == lead.accepted and group.requirement.id in known]
