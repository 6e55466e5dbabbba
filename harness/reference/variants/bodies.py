"""Variants: other answers to what the page leaves open about what is sent."""

import json
from datetime import datetime

from rules_harness.harness.reference import credentials, envelope, errors, rules, seed, syntax
from rules_harness.harness.reference.messages import Json
from rules_harness.harness.reference.seed import LedgerAccount
from rules_harness.harness.reference.stand_ins import Variants, refuse_if, refuse_node
from rules_harness.harness.reference.validation import accounts, actions, body, conditions, values

variant = Variants()
_SERVER_OWNED = frozenset(
    [
        "id",
        "rule_id",
        "created_at",
        "updated_at",
        "deleted_at",
        "created_by",
        "updated_by",
        "organization",
        "organization_id",
        "org_id",
        "owner",
        "owner_id",
        "user_id",
        "tenant_id",
        "account_id",
        "request_id",
        "data",
        "error",
        "version",
        "enabled",
        "enabled_at",
        "is_enabled",
        "permissions",
    ]
)

variant("unknown-top.refused", "reading.unknown-properties", body.extras).short(
    "Unknown properties of the body are refused.",
    refuse_if(
        lambda owner: owner.others(body.FIELDS), lambda owner: errors.invalid("The body has unknown properties.")
    ),
)
variant("unknown-top.stored", "reading.unknown-properties", body.extras).short(
    "Unknown properties of the body are stored.", lambda usual, owner: owner.others(body.FIELDS | _SERVER_OWNED)
)
variant("unknown-top.labels", "reading.unknown-properties", rules.further_fields).short(
    "Rules have labels and a priority, which an update without them clears.",
    lambda usual: {"labels": ["family", "monthly"], "priority": 3},
)
variant("unknown-nested.refused", "reading.unknown-properties", values.unknown).short(
    "Unknown properties below the top level are refused.",
    refuse_if(
        lambda owner, known: owner.others(known),
        lambda owner, known: errors.invalid(f"{owner.pointer} has unknown properties."),
    ),
)
variant("unknown-nested.stored", "reading.unknown-properties", values.unknown).short(
    "Unknown properties below the top level are stored.", lambda usual, owner, known: owner.others(known)
)


def _without_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name occurs twice")
    return value


variant("duplicate-names.refused", "reading.duplicate-names", syntax.value_of).short(
    "An object with a name twice is refused.",
    lambda usual, text: json.loads(text, parse_constant=syntax.no_constant, object_pairs_hook=_without_duplicates),
)


def _firsts(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    return dict(reversed(pairs))


variant("duplicate-names.first", "reading.duplicate-names", syntax.value_of).short(
    "Of two values under one name the first counts.",
    lambda usual, text: json.loads(text, parse_constant=syntax.no_constant, object_pairs_hook=_firsts),
)
variant("scheme-case.accepted", "reading.scheme-case", credentials.secret_of).short(
    "The scheme of Authorization is compared without regard to case.",
    lambda usual, value: usual(f"ApiKey {value[7:]}" if value.lower().startswith("apikey ") else value),
)
variant("error-request-id.present", "reading.error-request-id", envelope.error_envelope).short(
    "Errors carry request_id.",
    lambda usual, call, reply, error: {**usual(call, reply, error), "request_id": call.request_id},
)
variant("null-conditions.refused", "reading.null-conditions", body.demanded_of_steps).short(
    "A step must have conditions, if only null.", lambda usual: usual() | {"conditions"}
)
variant("defaults.not-added", "reading.defaults", actions.default_fields).short(
    "The documented default is not added to actions.", lambda usual: {}
)
variant("integral-float.refused", "reading.integral-float", values.integer).short(
    "1.0 is refused where an integer is wanted.",
    refuse_node(lambda node: type(node.value) is float, "must be an integer."),
)


def _aware(node: values.Node) -> bool:
    """Whether the place holds a date-time of ISO 8601 with its zone."""
    try:
        return "T24" not in node.value and datetime.fromisoformat(node.value).tzinfo is not None
    except (TypeError, ValueError):
        return False


variant("lenient-date-times.stored", "reading.lenient-date-times", values.date_time).short(
    "Any date-time of ISO 8601 with a zone is stored.",
    lambda usual, node: node.value if _aware(node) else usual(node),
)
variant("empty.steps-refused", "reading.empty", body.steps, group="empty.steps").short(
    "An empty list of steps is refused.", refuse_node(lambda node: node.value == [], "must not be empty.")
)
variant("empty.actions-refused", "reading.empty", body.step_actions, group="empty.actions").short(
    "An empty list of actions is refused.", refuse_node(lambda node: node.value == [], "must not be empty.")
)
variant("empty.any-refused", "reading.empty", conditions.members, group="empty.any").short(
    "An empty `any` is refused.",
    refuse_node(lambda branch: branch.name == "any" and branch.value == [], "must not be empty."),
)
variant("empty.all-refused", "reading.empty", conditions.members, group="empty.all").short(
    "An empty `all` is refused.",
    refuse_node(lambda branch: branch.name == "all" and branch.value == [], "must not be empty."),
)
variant("empty.zero-amount-refused", "reading.empty", values.cents, group="empty.zero-amount").short(
    "Amounts of zero are refused.", refuse_node(lambda node: node.value == 0, "must be at least 1.")
)
variant("empty.text-refused", "reading.empty", values.text, group="empty.text").short(
    "Empty text is refused.", refuse_node(lambda node: node.value == "", "must not be empty.")
)
variant("empty.text-refused-for-nicknames", "reading.empty", values.text, group="empty.text").short(
    "An empty nickname is refused, an empty description is stored.",
    refuse_node(lambda node: node.value == "" and node.name == "nickname", "must not be empty."),
)
variant("empty.blank-refused", "reading.empty", values.text, group="empty.untrimmed").short(
    "Text of white space alone is refused, other text is kept with it.",
    refuse_node(lambda node: type(node.value) is str and node.value.isspace(), "must not be blank."),
)
variant("empty.untrimmed-refused", "reading.empty", values.text, group="empty.untrimmed").short(
    "Text with white space at its ends is refused.",
    refuse_node(
        lambda node: type(node.value) is str and node.value != node.value.strip(),
        "must not begin or end with white space.",
    ),
)
variant("empty.nul-refused", "reading.empty", values.text, group="empty.nul").short(
    "Text with NUL is refused.",
    refuse_node(lambda node: type(node.value) is str and "\0" in node.value, "must not hold NUL."),
)
variant("empty.account-stored", "reading.empty", accounts.account_named, group="empty.account").short(
    "An empty account id in the trigger is stored.",
    lambda usual, node: (
        LedgerAccount("", "", "", node.organization_id)
        if (node.value, node.pointer) == ("", "/trigger/account_id")
        else usual(node)
    ),
)
# Whose an account is shows in rules, where they can be read.
variant("shared-account", "authz.foreign-account", seed.shared_accounts, group="read").short(
    "An account of the other organization is named by rules of both, and may be.", lambda usual: ("acc_01ZOTHPOD1",)
)
variant("empty.percentage-digits-refused", "reading.empty", values.percentage, group="empty.percentage-digits").short(
    "Percentages with more than two digits after the point are refused.",
    refuse_node(
        lambda node: type(node.value) is float and node.value != round(node.value, 2),
        "must have at most two digits after the point.",
    ),
)
