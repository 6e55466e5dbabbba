"""The functions that a standalone test may need, as source text: only those that it uses are put into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

HELPERS: Final[Mapping[str, str]] = {
    "Request": '''
class Request(NamedTuple):
    """One request as it goes out."""

    method: str
    target: str
    headers: list
    content: bytes | None = None
    raw: bool = False
''',
    "key": '''
def key(variable):
    """A key from the environment; without it, the test is skipped."""
    if not os.environ.get(variable):
        pytest.skip(f"needs the key of a caller in the environment variable {variable}")
    return os.environ[variable]
''',
    "fresh": '''
RUN = uuid.uuid4().hex


def fresh(recorded):
    """A key of the recorded one's form that no earlier run has used; equal ones stay equal, others different."""
    drawn = random.Random(RUN)
    made = ""
    for position, character in enumerate(recorded):
        shift = drawn.randrange(1, 60)
        is_uuid_version = len(recorded) == 36 and position in (14, 19)
        for alphabet in (string.digits, "abcdef", "ghijklmnopqrstuvwxyz", "ABCDEF", "GHIJKLMNOPQRSTUVWXYZ"):
            if character in alphabet and not is_uuid_version:
                character = alphabet[(alphabet.index(character) + shift) % len(alphabet)]
                break
        made += character
    return made
''',
    "send": '''
def send(request):
    """Send one request as it is written here."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
    target = httpx.URL(BASE_URL).raw_path.rstrip(b"/") + request.target.encode("latin-1")
    with httpx.Client(timeout=60, trust_env=False) as client:
        return client.request(
            request.method, BASE_URL, headers=headers, content=request.content, extensions={"target": target}
        )
''',
    "together": '''
def together(requests):
    """Send several requests at the same moment; the answers are in the order of the requests."""
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))
''',
    "reading": '''
def reading(rule):
    """The answer to a read of a rule."""
    headers = {AUTHORIZATION: f"{SCHEME} {key(READER)}", **always()}
    return httpx.get(BASE_URL + RULE_PATH.replace("{id}", rule), headers=headers, timeout=60, trust_env=False)
''',
    "read": '''
def read(rule):
    """The rule as it is stored."""
    answer = reading(rule)
    assert answer.status_code == 200, answer.text
    return data(answer)
''',
    "data": '''
def data(answer):
    """The rule in a success."""
    return answer.json()[DATA]
''',
    "error": '''
def error(answer):
    """The error of a refusal, in the envelope of the contract."""
    content = answer.json()
    assert DATA not in content
    told = content[ERROR]
    assert isinstance(told[CODE], str) and told[CODE]
    assert isinstance(told[MESSAGE], str) and told[MESSAGE]
    return told
''',
    "original": '''
def original(answer):
    """What a replay has in common with the answer that it repeats: the status and the body, its request id aside."""
    try:
        content = answer.json()
    except ValueError:
        return answer.status_code, answer.content
    if isinstance(content, dict):
        content.pop(REQUEST_ID, None)
    return answer.status_code, content
''',
    "strict": '''
def strict(answer):
    """The JSON value of an answer that is well-formed: UTF-8, no name twice, no NaN."""

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    def once(pairs):
        assert len({name for name, _ in pairs}) == len(pairs), "a name occurs twice"
        return dict(pairs)

    return json.loads(answer.content.decode("utf-8"), parse_constant=refuse, object_pairs_hook=once) or True
''',
    "without_status": '''
def without_status(sent):
    """What an update asks for, apart from the status, which the update itself may set."""
    return {name: value for name, value in sent.items() if name != STATUS}
''',
    "same": '''
def same(sent, got):
    """Whether what is stored is what was sent.

    Numbers by value, times as instants, an absent field as null; fields that the server adds or fills in are its own.
    """
    if isinstance(sent, dict):
        return isinstance(got, dict) and all(
            same(value, got.get(name)) for name, value in sent.items() if name not in SERVER_FILLED
        )
    if isinstance(sent, list):
        return isinstance(got, list) and len(sent) == len(got) and all(map(same, sent, got))
    if isinstance(sent, bool) or isinstance(got, bool):
        return sent is got
    if isinstance(sent, str) and isinstance(got, str) and sent != got:
        return instant(sent) is not None and instant(sent) == instant(got)
    return sent == got
''',
    "cleared": '''
def cleared(sent, got):
    """Whether every field that was left out is null, or has its documented default."""
    if isinstance(sent, dict) and isinstance(got, dict):
        extra = {name: value for name, value in got.items() if name not in sent and name not in SERVER_FILLED}
        known = {name: value for name, value in extra.items() if name in FIELDS}
        return all(value in (None, DEFAULTS.get(name)) for name, value in known.items()) and all(
            cleared(value, got.get(name)) for name, value in sent.items()
        )
    if isinstance(sent, list) and isinstance(got, list):
        return all(map(cleared, sent, got))
    return sent is not None or got is None
''',
    "instant": '''
def instant(text):
    """A date-time as a moment, to the millisecond; None for other text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round(moment.timestamp(), 3) if moment.tzinfo else None
''',
    "altered": '''
def altered(echoed, sent):
    """Whether an id looks like the client's, but is not the same."""
    if not echoed or echoed in [*sent, ",".join(sent), ", ".join(sent)]:
        return False
    left, *others = (re.sub(r"[^a-z0-9]", "", value.lower()) for value in (echoed, *sent))
    return any(min(len(left), len(right)) >= 8 and (left in right or right in left) for right in others)
''',
    "enable": '''
def enable(rule):
    """What a human does: enable the rule."""
    if HOOK is None:
        if read(rule)[STATUS] != ENABLED:
            pytest.skip(f"a human must enable {rule} first")
        return
    filled = json.loads(json.dumps(HOOK).replace("{rule_id}", rule))
    answer = httpx.request(filled.get("method", "POST"), filled["url"], json=filled.get("json"), timeout=60)
    answer.raise_for_status()
''',
    "body": '''
def body(sent):
    """The JSON that a request carries."""
    return json.loads(sent.content)
''',
}

RAW_HELPERS: Final[Mapping[str, str]] = {
    "send": '''
def send(request):
    """Send one request as it is written here."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
    if request.raw:
        return send_raw(request, headers)
    target = httpx.URL(BASE_URL).raw_path.rstrip(b"/") + request.target.encode("latin-1")
    with httpx.Client(timeout=60, trust_env=False) as client:
        return client.request(
            request.method, BASE_URL, headers=headers, content=request.content, extensions={"target": target}
        )
''',
    "send_raw": '''
def send_raw(request, headers):
    """Send one request over a socket, byte for byte."""
    url = httpx.URL(BASE_URL)
    port = url.port or (443 if url.scheme == "https" else 80)
    target = url.raw_path.rstrip(b"/") + request.target.encode("latin-1")
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("latin-1"), target), b"Host: " + url.netloc]
    lines += [b"%s: %s" % header for header in headers]
    sent = {name.lower() for name, _ in headers}
    if request.content is not None and not sent & {b"content-length", b"transfer-encoding"}:
        lines.append(b"Content-Length: %d" % len(request.content))
    lines.append(b"Connection: close")
    with socket.create_connection((url.host, port), 60) as connection:
        if url.scheme == "https":
            connection = ssl.create_default_context().wrap_socket(connection, server_hostname=url.host)
        connection.sendall(b"\\r\\n".join(lines) + b"\\r\\n\\r\\n" + (request.content or b""))
        answer = http.client.HTTPResponse(connection, method=request.method)
        answer.begin()
        content = answer.read()
    return httpx.Response(answer.status, headers=answer.getheaders(), content=content)
''',
}
"""What takes the place of ``send`` where a request goes out byte for byte, because httpx would change or refuse it."""
