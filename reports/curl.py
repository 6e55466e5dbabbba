"""A recorded request as a line for bash: the same bytes again, keys from environment variables.

The line is plain ASCII whatever the request holds, so that it can be shown, copied and pasted without surprises.
"""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from rules_harness.harness.exchange import Request
from rules_harness.reports.model import FindingView, RunReport, Shown, TargetView
from rules_harness.reports.references import UNKNOWN_KEY, Assembled, Part, Secret, assembled, variable
from rules_harness.strategies.keys import UNKNOWN

_ASCII: Final = re.compile(r"[ -~]*")
_NEXT: Final = " \\\n  "
_ESCAPES: Final = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def lines(view: FindingView, report: RunReport) -> list[str]:
    """The commands that show a finding again, in their order; a comment where something cannot be a command.

    Requests that went out together are sent in the background, and waited for.
    """
    target = report.target
    commands: list[str] = []
    if any(shown.exchange.intent.key is not None for shown in view.needed):
        commands.append("# its keys are used up: give each a new value before you send this again")
    for step in view.steps:
        if step.enable:
            commands.append(f"# enable {quoted(step.enable)} first, as its owner does")
        if step.given is not None:
            commands += [f"# make the {report.contract.noun} what it was before", command(target, step.given)]
        sent = [_line(target, view.episode[position]) for position in step.positions]
        commands += sent if len(sent) == 1 else [f"{command} &" for command in sent]
        if len(sent) > 1:
            commands.append("wait")
    return commands


def _line(target: TargetView, shown: Shown) -> str:
    if shown.too_long:
        return "# too long to copy: `rules-harness replay RUN FINDING --target FILE` sends it"
    return command(target, shown.exchange.request, packed=shown.packed)


def command(
    target: TargetView,
    request: Request,
    *,
    packed: bytes | None = None,
    options: str = "-i",
    base_url: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> str:
    """One request as a curl line; ``packed`` is its body in gzip, where it is too long to stand there plainly.

    In a script ``base_url`` is a word of the shell that stands for the target's, and ``variables`` are such words by
    the header value whose place they take.
    """
    if not is_sendable(request):
        return "# curl cannot send this request as it was sent: `rules-harness replay RUN FINDING --target FILE` can"
    whole, environment = assembled(request), target.environment
    path = word(whole.target, environment)
    at = word([target.base_url, *whole.target], environment) if base_url is None else base_url + path
    # Without --globoff, curl takes {} and [] in a URL for patterns.
    words = [f"curl -sS {options} --path-as-is --globoff -X {quoted(request.method)} {at}"]
    for name, value in (*whole.headers, *((name, (value,)) for name, value in target.headers)):
        if variables and len(value) == 1 and value[0] in variables:
            words.append(f"-H {quoted(f'{name}: ')}{variables[str(value[0])]}")
            continue
        # "Name;" is how curl sends a header with an empty value: "Name:" would remove it.
        words.append(f"-H {word([f'{name}: ', *value] if any(value) else [f'{name};'], environment)}")
    source = ""
    if request.body is not None or packed is not None:
        if request.header("content-type") is None:
            words.append("-H 'Content-Type:'")
        source, data = _data(request.body.content if request.body else b"", whole, packed, environment)
        words.append(data)
    return source + _NEXT.join(words)


def is_sendable(request: Request) -> bool:
    """Whether a command line can carry the request: no NUL or line break in its head, and a target that is a URL."""
    whole = assembled(request)
    head = [
        request.method,
        *(part for name, value in whole.headers for part in (name, *value) if isinstance(part, str)),
    ]
    is_plain = not any(character in part for part in head for character in "\x00\r\n")
    return is_plain and whole.is_usual and re.search(r"[\x00-\x20\x7f#]", request.target) is None


def _data(content: bytes, whole: Assembled, packed: bytes | None, environment: Mapping[str, str]) -> tuple[str, str]:
    """What stands before curl, and its option, to send this body byte for byte."""
    if packed is not None:
        return f"printf %s {base64.b64encode(packed).decode('ascii')} | base64 -d | gzip -dc | ", "--data-binary @-"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" not in text:
        return "", f"--data-raw {word(whole.body or [''], environment, 'utf-8')}"
    encoded = base64.b64encode(content).decode("ascii")
    return f"printf %s {encoded} | base64 -d | ", "--data-binary @-"


def word(text: Iterable[Part], environment: Mapping[str, str], encoding: str = "latin-1") -> str:
    """A word of the shell: literal text quoted, secrets as environment variables."""
    parts = [quoted(part, encoding) if isinstance(part, str) else _secret(part, environment) for part in text if part]
    return "".join(parts) or "''"


def _secret(secret: Secret, environment: Mapping[str, str]) -> str:
    if secret.name == UNKNOWN:
        return UNKNOWN_KEY
    key = variable(secret.name, environment)
    return {
        "": f'"${key}"',
        "truncated": f'"${{{key}%?}}"',
        "extended": f'"${{{key}}}$([ "${{{key}%0}}" = "${key}" ] && echo 0 || echo 1)"',
        "swapcase": f'"$(printf %s "${key}" | tr A-Za-z a-zA-Z)"',
        "basic": f'"$(printf %s "${key}:" | base64 | tr -d \'\\n\')"',
    }[secret.form]


def quoted(text: str, encoding: str = "latin-1") -> str:
    """A text as one word of the shell, in ASCII."""
    if _ASCII.fullmatch(text):
        return shlex.quote(text)
    return "$'" + "".join(_escaped(text, encoding)) + "'"


def _escaped(text: str, encoding: str) -> Iterator[str]:
    for character in text:
        if character in _ESCAPES:
            yield _ESCAPES[character]
        elif " " <= character <= "~":
            yield character
        else:
            encoded = character.encode(encoding if character <= "\xff" else "utf-8", "surrogatepass")
            yield "".join(f"\\x{byte:02x}" for byte in encoded)
