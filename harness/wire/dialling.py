"""The way to the target: its address, TLS, a proxy, and how a request's head names it."""

from __future__ import annotations

import base64
import functools
import os
import select
import socket
import ssl
import threading
from typing import Any
from urllib.parse import unquote, urlsplit

from rules_harness.harness.exchange import FaultKind
from rules_harness.harness.target.profile import Target
from rules_harness.harness.target.secrets import Keyring
from rules_harness.harness.wire.connection import MAX_HEAD, Abandoned, Connection, Fault, Patience, reason

Address = tuple[socket.AddressFamily, Any]


class Route:
    """How connections to one target are made; may be used by several threads."""

    def __init__(self, target: Target, keyring: Keyring) -> None:
        url = urlsplit(target.base_url)
        self._host = url.hostname or ""
        self._tls = _tls(target) if url.scheme == "https" else None
        self._port = url.port or (443 if self._tls else 80)
        self._path = url.path
        self.host = url.netloc
        self._proxy = urlsplit(target.proxy) if target.proxy else None
        self._proxy_login = keyring.value(target.proxy_login) if target.proxy_login else None
        self._addresses: list[Address] = []

    def target_of(self, path: str) -> str:
        """The request target of a path below the base URL: absolute towards a plain proxy (RFC 9112, section 3.2.2)."""
        whole = self._path + path
        return f"http://{self.host}{whole}" if self._proxy and not self._tls else whole

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What a plain proxy wants to read in each request."""
        return self._login if self._proxy and not self._tls else ()

    def check(self, status: int) -> None:
        """Raise `Fault` for a status that only a proxy answers, and that says nothing of the target."""
        if self._proxy is not None and not self._tls and status == 407:
            raise Fault("proxy", f"{self._peer} wants another login than that of target.proxy: it answered 407")

    def connect(self, patience: Patience) -> Connection:
        """A new connection; raises `Fault` of kind ``connect`` or ``proxy``, and `Abandoned`."""
        try:
            sock = self._connected(patience)
        except Fault as fault:
            self._addresses = []
            raise Fault("connect" if self._proxy is None else "proxy", fault.detail) from None
        try:
            if self._tls is not None:
                sock = self._secured(sock, self._tls, patience)
            return Connection(sock)
        except OSError as error:
            sock.close()
            raise Fault("connect", f"TLS with {self._host} failed: {reason(error)}") from None
        except Fault as fault:
            sock.close()
            raise Fault("proxy" if fault.kind == "proxy" else "connect", fault.detail) from None
        except Abandoned:
            sock.close()
            raise

    @property
    def _peer(self) -> str:
        """Whoever takes the connection, in words."""
        if self._proxy is not None:
            return f"the proxy {self._proxy.hostname} port {self._proxy.port or 80}"
        return f"{self._host} port {self._port}"

    def _connected(self, patience: Patience) -> socket.socket:
        host, port = self._host, self._port
        if self._proxy is not None:
            host, port = self._proxy.hostname or "", self._proxy.port or 80
        if not self._addresses:
            self._addresses = _resolved(host, port, self._peer, patience)
        problem = ""
        for family, address in self._addresses:
            try:
                return _joined(family, address, self._peer, patience)
            except OSError as error:
                problem = reason(error)
        raise Fault("connect", f"no connection to {self._peer}: {problem}")

    def _secured(self, sock: socket.socket, tls: ssl.SSLContext, patience: Patience) -> socket.socket:
        if self._proxy is not None:
            self._tunnel(sock, patience)
        secured = tls.wrap_socket(sock, server_hostname=self._host, do_handshake_on_connect=False)
        while True:
            try:
                secured.do_handshake()
                return secured
            except ssl.SSLWantReadError:
                patience.wait(secured, select.POLLIN, "the TLS handshake")
            except ssl.SSLWantWriteError:
                patience.wait(secured, select.POLLOUT, "the TLS handshake")

    def _tunnel(self, sock: socket.socket, patience: Patience) -> None:
        """Have the proxy pass everything on (CONNECT, RFC 9110, section 9.3.6)."""
        authority = self.host if urlsplit(f"//{self.host}").port else f"{self.host}:{self._port}"
        login = "".join(f"{name}: {value}\r\n" for name, value in self._login)
        head = b""
        try:
            sock.sendall(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{login}\r\n".encode("latin-1"))
            while b"\r\n\r\n" not in head and len(head) < MAX_HEAD:
                patience.wait(sock, select.POLLIN, "the proxy's answer")
                piece = sock.recv(1)
                if not piece:
                    break
                head += piece
        except OSError as error:
            raise Fault("proxy", f"{self._peer} made no tunnel: {reason(error)}") from None
        except Fault as fault:
            raise Fault("proxy", f"{self._peer} made no tunnel: {fault.detail}") from None
        status = head.partition(b"\r\n")[0].decode("latin-1")
        if not status.startswith("HTTP/1.") or status[9:10] != "2":
            # A gateway's error is about what stands behind the proxy.
            kind: FaultKind = "connect" if status[9:12] in ("502", "503", "504") else "proxy"
            raise Fault(kind, f"{self._peer} made no tunnel: {status or 'no answer'}")

    @functools.cached_property
    def _login(self) -> tuple[tuple[str, str], ...]:
        if self._proxy_login is None:
            return ()
        user, _, password = self._proxy_login.partition(":")
        login = f"{unquote(user)}:{unquote(password)}"
        return (("Proxy-Authorization", f"Basic {base64.b64encode(login.encode()).decode('ascii')}"),)


def _tls(target: Target) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=target.ca_bundle)
    context.set_alpn_protocols(["http/1.1"])
    if target.client_cert is not None:
        # Without a password, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(target.client_cert, target.client_key, password="")
    return context


def _resolved(host: str, port: int, peer: str, patience: Patience) -> list[Address]:
    """The addresses of a host. Asking may take long and cannot be broken off, so a thread of its own asks."""
    addresses: list[Address] = []
    problems: list[str] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses.extend((family, address) for family, _, _, _, address in answers)
        except (OSError, UnicodeError) as error:
            problems.append(reason(error))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.001)
        patience.check(f"looking up {peer}")
    if not addresses:
        raise Fault("connect", f"no address for {peer}: {''.join(problems)}")
    return addresses


def _joined(family: int, address: Any, peer: str, patience: Patience) -> socket.socket:
    """A socket that is connected to an address. Raises `OSError`, also where the machine has no such family."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        _join(sock, address, peer, patience)
    except BaseException:
        sock.close()
        raise
    return sock


def _join(sock: socket.socket, address: Any, peer: str, patience: Patience) -> None:
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        sock.connect(address)
    except BlockingIOError:
        patience.wait(sock, select.POLLOUT, f"connecting to {peer}")
        if problem := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(problem, os.strerror(problem)) from None
