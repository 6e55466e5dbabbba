"""What no answer may give away: keys, and the inside of the server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from rules_harness.harness.exchange import Answer, Episode, Payload, parsed
from rules_harness.harness.judging.checks.common import kind_of_answer, run_by, short, texts_in
from rules_harness.harness.judging.outcome import Judgement, Kept, Violation
from rules_harness.openapi.contract import Contract


def no_leak(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """No answer holds an API key, the run's own included; nor a stack trace, SQL or a file path that the run did not
    send itself.

    A key that somebody wrote into a rule is not given away by showing the rule.
    """
    answers = [exchange.outcome for exchange in episode.exchanges if isinstance(exchange.outcome, Answer)]
    held = _held(episode, contract) if any(answer.leaks for answer in answers) else ""
    for position, exchange in enumerate(episode.exchanges):
        answer = exchange.outcome
        if not isinstance(answer, Answer):
            continue
        leaked = [("an API key", name) for name in answer.leaks if not _names(held, name)]
        if not answer.is_success:
            leaked += _internals(episode, answer)
        if not leaked:
            yield Kept("envelope.no-leak")
        for kind, what in leaked:
            yield Violation(
                "envelope.no-leak",
                kind_of_answer(exchange, answer),
                f"holds {kind}",
                "no key, stack trace, SQL or file path",
                f"{answer.status} with {kind}: {short(what)}",
                (position,),
            )


_INTERNALS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a stack trace", re.compile(r"Traceback \(most recent call last\)")),
    ("a stack trace", re.compile(r'File "[^"\n]{1,200}", line \d+')),
    ("a stack trace", re.compile(r"\bat [\w.$<>]+\((?:[\w$]+\.(?:java|kt|scala|cs)|Native Method|Unknown Source)[:)]")),
    ("a stack trace", re.compile(r"\bat [^\s()]{0,80} ?\(?[^\s()]{1,200}\.[cm]?[jt]s:\d+:\d+")),
    ("a stack trace", re.compile(r"goroutine \d+ \[\w+")),
    # Not behind two slashes: a host and its port, `https://docs.example.rs:8443`, are no file and its line.
    ("a stack trace", re.compile(r"(?<![\w/\\.-])(?!//)[\w/\\.-]*\.(?:go|rb|php|py|rs):\d+(?::in `|\b)")),
    ("a stack trace", re.compile(r"\bin (?:<b>)?[^\s<>]{1,200}\.php(?:</b>)? on line (?:<b>)?\d+")),
    ("a stack trace", re.compile(r"thread '[^'\n]+' panicked at")),
    (
        "SQL",
        re.compile(r"\bSELECT\b[^\n]{1,300}\bFROM\b|\bINSERT INTO\b|\bDELETE FROM\b|\bUPDATE\b[^\n]{1,200}\bSET\b"),
    ),
    ("SQL", re.compile(r"SQLSTATE|syntax error at or near|\bORA-\d{5}\b|sqlite3?\.\w*Error|psycopg", re.IGNORECASE)),
    ("a file path", re.compile(r"(?<![\w/:.])/(?:home|Users|etc|root)/[\w.\-/]+")),
    ("a file path", re.compile(r"(?<![\w/:.])/(?:usr|var|app|srv|opt|tmp)/[\w.\-/]*\w\.[A-Za-z]{1,5}\b")),
    ("a file path", re.compile(r"\b[A-Za-z]:\\{1,2}(?:[\w .\-]+\\{1,2})+[\w .\-]+")),
)


def internals(text: str) -> list[tuple[str, str]]:
    """What of the inside of a server stands in a text: the kind of it, and the text itself."""
    matches = ((kind, pattern.search(text)) for kind, pattern in _INTERNALS)
    return [(kind, match.group()) for kind, match in matches if match]


def _internals(episode: Episode, answer: Answer) -> list[tuple[str, str]]:
    return [(kind, what) for kind, what in internals(_spelt_out(answer.body)) if not _was_sent(episode, what)]


def _spelt_out(payload: Payload) -> str:
    """A text as it stands, and each text of the JSON that it is: `\\t` and `\\/` hide what they are next to."""
    value = parsed(payload)
    return "\n".join((payload.text or "", *(text for _, text in texts_in(value))))


def _held(episode: Episode, contract: Contract) -> str:
    """What a client may have written into the rules of an episode, as their states and the bodies show it."""
    fields = contract.resolve(contract.body_schema).get("properties", {})
    states = [*episode.facts.before.values()]
    for exchange in episode.exchanges:
        if exchange.intent.operation == "read" and exchange.answer is not None:
            states.append(exchange.answer.object().get(contract.names.data))
    bodies = (exchange.request.body for exchange in episode.exchanges)
    written = [body.text for body in bodies if body is not None and body.text is not None]
    kept = [state[name] for state in states if isinstance(state, dict) for name in fields if name in state]
    return json.dumps([kept, written])


def _names(recorded: str, credential: str) -> bool:
    """Whether a recorded text holds the key of a credential, in whatever form."""
    return f"{{key:{credential}}}" in recorded or f"{{key:{credential}|" in recorded


def _was_sent(episode: Episode, text: str) -> bool:
    for exchange in episode.exchanges:
        request = exchange.request
        sent = [request.target, *(value for _, value in request.headers)]
        if request.body is not None:
            sent.append(_spelt_out(request.body))
        if any(text in part for part in sent):
            return True
    return False


CHECKS = run_by(("envelope.no-leak", no_leak))
