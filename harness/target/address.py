"""Reads where a target is and how it is reached; and what the other tables of a profile have in common with that.

Errors name the place, the problem and the remedy.
"""

from __future__ import annotations

import re
import shutil
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from rules_harness.harness.errors import UsageError
from rules_harness.harness.target.form import HEADER_NAME
from rules_harness.harness.target.profile import Headers, SecretReference, Target
from rules_harness.harness.target.tables import TargetTable, convert
from rules_harness.openapi.contract import Contract

COMMAND_LINE: Final = "command line"
_SECRET_NAME = re.compile(r"auth|token|key|secret|cookie|passw|credential|signature", re.IGNORECASE)
_SECRET_PARAMETER = re.compile(_SECRET_NAME.pattern + r"|^(?:sig|code|pass|pwd|pin|jwt)$", re.IGNORECASE)
_HEADER_VALUE = re.compile(r"[\x21-\x7e\xa1-\xff](?:[\t\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa1-\xff])?")
_OWN_HEADERS: Final = ("host", "connection", "content-length", "transfer-encoding", "content-type", "accept", "expect")
_OPTIONS: Final = {"target.base_url": "--base-url", "credentials.full.key_env": "--key-env", "rules": "--rule"}


class TargetReader:
    """Reads ``[target]`` out of a document; ``source`` is what its errors name first."""

    def __init__(self, source: str, folder: Path, contract: Contract, environ: Mapping[str, str]) -> None:
        self._source = source
        self._folder = folder
        self._contract = contract
        self._environ = environ
        self._secrets: dict[str, str] = {}

    def _target(self, table: TargetTable) -> Target:
        url = self._url("target.base_url", table.base_url)
        if url.query or url.fragment or "?" in table.base_url or "#" in table.base_url:
            self._fail(
                "target.base_url", "has a query or a fragment", "Stop after the path, as in https://host/api/v1."
            )
        if url.username is not None or url.password is not None:
            self._fail(
                "target.base_url", "holds a user name", "Name the key's variable under [credentials.full] instead."
            )
        base = table.base_url.rstrip("/")
        if beyond := self._beyond_the_base(base):
            self._fail(
                "target.base_url",
                f"ends in {beyond}, which the operation {self._contract.update.path} adds",
                f"Write {base.removesuffix(beyond)}.",
            )
        proxy, proxy_login = self._proxy(table.proxy)
        client_cert, client_key = self._client_certificate(table)
        return Target(
            name=table.name or url.netloc,
            base_url=base,
            headers=self._target_headers(table.headers),
            ca_bundle=self._ca_bundle(table.ca_bundle),
            proxy=proxy,
            proxy_login=proxy_login,
            client_cert=client_cert,
            client_key=client_key,
        )

    def _beyond_the_base(self, base_url: str) -> str:
        """What the URL has of the operation's own path at its end, with or without an id."""
        collection = self._contract.update.path.partition("/{")[0]
        match = re.search(rf"{re.escape(collection)}(/[^/]*)?$", urlsplit(base_url).path)
        return match[0] if match and collection else ""

    def _url(self, place: str, text: str) -> SplitResult:
        remedy = "Write an absolute URL such as https://host.example/api/v1."
        shown = _shown(text)
        if not re.fullmatch(r"[!-~]+", text):
            self._fail(place, f"{shown!r} is empty or has characters that no URL has", remedy)
        try:
            url = urlsplit(text)
            port = url.port
        except ValueError as error:
            why = f" ({error})" if shown == text else ""
            self._fail(place, f"{shown!r} is not a URL{why}", remedy)
        if url.scheme not in ("http", "https") or not url.hostname or port == 0:
            self._fail(place, f"{shown!r} is not an absolute http or https URL", remedy)
        return url

    def _ca_bundle(self, text: str | None) -> str | None:
        if text is None:
            return None
        path = self._folder.absolute() / text
        try:
            ssl.create_default_context(cafile=str(path))
        except OSError as error:
            remedy = "Name a PEM file; a relative path starts at the profile's folder."
            self._fail("target.ca_bundle", f"cannot read certificates from {path} ({error.strerror or error})", remedy)
        return str(path)

    def _client_certificate(self, table: TargetTable) -> tuple[str | None, str | None]:
        if table.client_cert is None:
            if table.client_key is not None:
                self._fail("target.client_key", "has no certificate", "Name its certificate in target.client_cert.")
            return None, None
        certificate = self._folder.absolute() / table.client_cert
        key = None if table.client_key is None else self._folder.absolute() / table.client_key
        for name, path in (("client_cert", certificate), ("client_key", key)):
            if path is not None and not path.is_file():
                remedy = "Name a PEM file; a relative path starts at the profile's folder."
                self._fail(f"target.{name}", f"there is no file {path}", remedy)
        try:
            # Without a password, OpenSSL would ask for one on the terminal.
            ssl.create_default_context().load_cert_chain(certificate, key, password="")
        except (OSError, ValueError) as error:
            remedy = "Name PEM files that belong together; the key must not be encrypted."
            self._fail("target.client_cert", f"cannot be used ({getattr(error, 'reason', None) or error})", remedy)
        return str(certificate), None if key is None else str(key)

    def _proxy(self, text: str | None) -> tuple[str | None, SecretReference | None]:
        """The address of the proxy, and the login that stands in front of it."""
        if text is None:
            return None, None
        url = self._url("target.proxy", text)
        if url.scheme != "http" or url.path.strip("/") or url.query:
            self._fail("target.proxy", f"{_shown(text)!r} is not the address of a proxy", "Write http://host:port.")
        login, separator, address = url.netloc.rpartition("@")
        if separator:
            return f"http://{address}", self._secret("proxy:login", login)
        return f"http://{address}", None

    def _apart(
        self, hook: str, url: str
    ) -> tuple[str, SecretReference | None, tuple[tuple[str, SecretReference], ...]]:
        """The URL of a hook without its secrets, its login, and the parameters of its query that look like secrets."""
        scheme, _, rest = url.partition("#")[0].partition("://")
        authority, slash, path = re.fullmatch(r"([^/?]*)([/?]?)(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr] # whatever it is, it matches
        login, separator, address = authority.rpartition("@")
        kept, query = [], []
        before, mark, parameters = (slash + path).partition("?")
        for parameter in parameters.split("&"):
            name, _, value = parameter.partition("=")
            if _SECRET_PARAMETER.search(unquote(name)) and value and not re.fullmatch(r"\{[^{}]*\}", value):
                query.append((name, self._secret(f"hook:{hook}.{re.sub('[{}|]', '/', name)}", value)))
            else:
                kept.append(parameter)
        rest = address + before + (f"?{'&'.join(kept)}" if mark and kept else "")
        return f"{scheme}://{rest}", self._secret(f"hook:{hook}.login", login) if separator else None, tuple(query)

    def _target_headers(self, headers: Mapping[str, Any]) -> Headers:
        names = self._contract.names
        own = {
            *_OWN_HEADERS,
            *(name.lower() for name in (names.authorization, names.idempotency_key, names.request_id_header)),
        }
        for name in headers:
            if name.lower() in own:
                self._fail(f"target.headers.{name}", "is a header that the harness sets itself", "Leave it out.")
        return self._headers("target.headers", "", headers)

    def _headers(self, place: str, prefix: str, headers: Mapping[str, Any]) -> Headers:
        """Names and values, those that look like secrets by reference."""
        composed: list[tuple[str, str | SecretReference]] = []
        for name, value in headers.items():
            text = convert(value, str, self._source, f"{place}.{name}")
            if not HEADER_NAME.fullmatch(name):
                self._fail(f"{place}.{name}", "is not a header name", "Use letters, digits and hyphens.")
            if not _HEADER_VALUE.fullmatch(text):
                self._fail(f"{place}.{name}", "is not a header value", "Use visible Latin-1 characters on one line.")
            if _SECRET_NAME.search(name):
                if not text.isascii():
                    self._fail(f"{place}.{name}", "looks like a secret, but is not ASCII", "Use ASCII alone.")
                # A bar may stand in the name of a header, and separates in a mark.
                composed.append((name, self._secret(f"header:{prefix}{name}".replace("|", "/"), text)))
            else:
                composed.append((name, text))
        return tuple(composed)

    def _secret(self, name: str, text: str) -> SecretReference:
        self._secrets[name] = text
        return SecretReference(name)

    def _program(self, place: str, name: str) -> str:
        path = str(self._folder.absolute() / name) if "/" in name else name
        program = shutil.which(path, path=self._environ.get("PATH"))
        if program is None:
            remedy = "Name a program that may be executed; a relative path starts at the profile's folder."
            self._fail(place, f"there is no program {path!r}", remedy)
        return program

    def _fail(self, place: str, problem: str, remedy: str) -> NoReturn:
        if self._source == COMMAND_LINE:
            place = _OPTIONS.get(place, place)
        raise UsageError(f"{self._source}: {place}: {problem}. {remedy}")


def _shown(url: str) -> str:
    """A URL as an error shows it: without a login, and without what follows its path."""
    return re.sub(r"(?<=//).*@", "…@", re.split("[?#]", url)[0])
