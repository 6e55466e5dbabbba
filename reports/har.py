"""HAR 1.2: every exchange of the journal, written one by one; keys stand there by reference, as in the journal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import harfile

from rules_harness.harness.exchange import Answer, Episode, Exchange, Payload
from rules_harness.harness.journal import EpisodeRecord
from rules_harness.reports import references
from rules_harness.reports.model import RunReport
from rules_harness.reports.tallies import status_of

_BODY_LIMIT: Final = 64 * 1024
_PIECE: Final = 256 * 1024


class _Pieces:
    """A text file that keeps what is written until it is taken."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.size = 0

    def write(self, text: str) -> int:
        self.written.append(text)
        self.size += len(text)
        return len(text)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def take(self) -> str:
        text = "".join(self.written)
        self.written.clear()
        self.size = 0
        return text


def pieces(report: RunReport) -> Iterator[str]:
    """The document, piece by piece; bodies beyond 64 KiB are cut and say so."""
    file: Any = _Pieces()
    creator = harfile.Creator(name="rules-harness", version=report.header.tool_version)
    archive = harfile.HarFile(file, creator=creator, comment=f"{report.operation} of {report.target.name}")
    start = _moment(report.header.started_at)
    for record in report.records():
        if isinstance(record, EpisodeRecord):
            for exchange in record.episode.exchanges:
                _add(archive, record.episode, exchange, report.target.base_url, start)
            if file.size > _PIECE:
                yield file.take()
    archive.close()
    yield file.take()


def _add(archive: harfile.HarFile, episode: Episode, exchange: Exchange, base_url: str, start: datetime) -> None:
    milliseconds = max(exchange.ended - exchange.started, 0.0) * 1000
    archive.add_entry(
        startedDateTime=start + timedelta(seconds=exchange.started),
        time=milliseconds,
        request=_request(exchange, base_url),
        response=_response(exchange),
        timings=harfile.Timings(send=0, wait=milliseconds, receive=0),
        comment=f"{episode.id}: {exchange.intent.caller} {exchange.intent.label}".strip(),
    )


def _request(exchange: Exchange, base_url: str) -> harfile.Request:
    request = references.shown(exchange.request)
    data = None
    size = 0
    if request.body is not None:
        size = len(request.body.content)
        text, comment, is_base64 = _text(request.body)
        comment = "base64" if is_base64 and comment is None else comment
        data = harfile.PostData(mimeType=request.header("content-type") or "", text=text, comment=comment)
    return harfile.Request(
        method=request.method,
        url=base_url + request.target,
        httpVersion="HTTP/1.1",
        headers=_records(request.headers),
        queryString=_query(request.target),
        postData=data,
        bodySize=size,
    )


def _response(exchange: Exchange) -> harfile.Response:
    outcome = exchange.outcome
    if not isinstance(outcome, Answer):
        # HAR has no other word for "no answer" than status 0.
        content = harfile.Content(size=0, mimeType="x-unknown")
        return harfile.Response(
            status=0, statusText="", httpVersion="", content=content, comment=f"{status_of(exchange)}: {outcome.detail}"
        )
    text, comment, is_base64 = _text(outcome.body)
    content = harfile.Content(
        size=len(outcome.body.content),
        mimeType=outcome.header("content-type") or "x-unknown",
        text=text,
        encoding="base64" if is_base64 else None,
        comment=comment,
    )
    return harfile.Response(
        status=outcome.status,
        statusText="",
        httpVersion="HTTP/1.1",
        headers=_records(outcome.headers),
        content=content,
        redirectURL=outcome.header("location") or "",
        bodySize=len(outcome.body.content),
    )


def _text(payload: Payload) -> tuple[str, str | None, bool]:
    """A body's text, a remark where it is cut, and whether it is base64."""
    text = payload.text if payload.text is not None else payload.base64 or ""
    if len(text) <= _BODY_LIMIT:
        return text, None, payload.text is None
    # A multiple of four keeps what is left of base64 readable.
    return text[:_BODY_LIMIT], f"cut: {len(payload.content):,} bytes in all", payload.text is None


def _records(headers: tuple[tuple[str, str], ...]) -> list[harfile.Record]:
    return [harfile.Record(name=name, value=value) for name, value in headers]


def _query(target: str) -> list[harfile.Record]:
    try:
        query = urlsplit(target).query
    except ValueError:
        return []
    return [harfile.Record(name=name, value=value) for name, value in parse_qsl(query, keep_blank_values=True)]


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
