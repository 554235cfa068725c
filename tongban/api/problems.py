"""Refusals as RFC 9457 problem documents: what kinds there are, and how one exception becomes one document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import orjson

from tongban.commands import bus, handlers
from tongban.commands.ports import LogUnavailable
from tongban.commands.requests import Unavailable
from tongban.domain.errors import Conflict, DomainError, Forbidden, NotFound, RuleBroken
from tongban.domain.sharing import exemption

URN = "urn:tongban:problem:"
MEDIA_TYPE = b"application/problem+json"
Headers = list[tuple[bytes, bytes]]

# Members that RFC 9457 gives a meaning; a rule's field of that name is told as rule_<name>.
_RESERVED = frozenset({"type", "title", "status", "detail", "instance", "code"})


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem. `code` never changes once released; `title` and `zh` are its sentence in both languages."""

    code: str
    status: int
    title: str
    zh: str

    @property
    def ours(self) -> bool:
        """Whether the fault is on this side (5xx)."""
        return self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def uri(self) -> str:
        """The `type` of the document."""
        return URN + self.code


INVALID_JSON = Kind("invalid-json", 400, "The body is not readable JSON.", "请求体不是可读的 JSON。")
INVALID_BODY = Kind("invalid-body", 400, "The body does not have the command's form.", "请求体不符合该命令的格式。")
KEY_REQUIRED = Kind(
    "idempotency-key-required",
    400,
    "Idempotency-Key must be given, once, as a UUID.",
    "须提供一个 UUID 格式的 Idempotency-Key。",
)
INVALID_IF_MATCH = Kind(
    "invalid-if-match",
    400,
    'If-Match must name one version in quotes, such as "3".',
    'If-Match 须为一个带引号的版本号, 如 "3"。',
)
TOKEN_MISSING = Kind("token-missing", 401, "A bearer token is needed.", "需要访问令牌。")
TOKEN_INVALID = Kind("token-invalid", 401, "The bearer token is not valid.", "访问令牌无效。")
TOKEN_EXPIRED = Kind(
    "token-expired", 401, "The bearer token has expired: get a new one.", "访问令牌已过期, 请重新获取。"
)
UNKNOWN_COMMAND = Kind("unknown-command", 404, "There is no command of this name.", "没有该命令。")
UNKNOWN_BATCH = Kind("unknown-batch", 404, "You gave no batch of this id.", "您未提交过该批次。")
UNKNOWN_ROUTE = Kind("unknown-route", 404, "There is nothing at this address.", "该地址不存在。")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "This address does not take this method.", "该地址不支持此方法。")
BODY_TOO_LARGE = Kind("body-too-large", 413, "The body is larger than is taken here.", "请求体过大。")
UNSUPPORTED_MEDIA_TYPE = Kind(
    "unsupported-media-type",
    415,
    "The body must be application/json in UTF-8.",
    "请求体须为 UTF-8 的 application/json。",
)
NO_SUCH_UPLOAD = Kind("no-such-upload", 404, "There is no such upload for this caller.", "没有该上传文件。")
NO_SUCH_DRAFT = Kind("no-such-draft", 404, "There is no such draft for this caller.", "没有该草稿。")
DRAFT_GONE = Kind("draft-gone", 410, "The draft has expired.", "草稿已过期。")
UPLOAD_ERASED = Kind(
    "upload-erased", 410, "The personal data of this upload's owner was erased.", "上传人的个人信息已删除。"
)
DRAFT_CHANGED = Kind(
    "draft-changed", 412, "The draft was changed by someone else in the meantime.", "草稿已被他人更新, 请刷新后重试。"
)
MEDIA_TYPE_NOT_TAKEN = Kind(
    "media-type-not-taken", 415, "Uploads of this media type are not taken.", "不接收此类型的文件。"
)
EMPTY_UPLOAD = Kind("empty-upload", 400, "The upload has no content.", "上传内容为空。")
PARTY_REQUIRED = Kind(
    "party-required",
    400,
    "Who is not the applicant must name the applicant: ?party=<party id>.",
    "非申请人本人须指明申请人。",
)
TOO_MANY_DRAFTS = Kind(
    "too-many-drafts", 422, "This applicant has as many drafts as are kept: delete one.", "草稿数量已达上限, 请先删除。"
)
DRAFT_DIFFERS = Kind(
    "draft-differs", 422, "The draft is of another applicant or another item.", "草稿的申请人或事项与申请不一致。"
)
UPLOAD_DAMAGED = Kind(
    "upload-damaged", 500, "The stored upload is damaged: upload it again.", "已存文件损坏, 请重新上传。"
)
TOO_MANY_REQUESTS = Kind(
    "too-many-requests",
    429,
    "This caller asks too often: wait, then ask again.",
    "请求过于频繁, 请稍后再试。",
)
INTERNAL_ERROR = Kind("internal-error", 500, "Something failed here; it is logged.", "系统内部错误, 已记录。")
DEADLINE_PASSED = Kind(
    "deadline-passed",
    503,
    "No answer came in time: ask again with the same Idempotency-Key, which cannot act twice.",
    "未能及时得到结果, 请用同一 Idempotency-Key 重试, 不会重复执行。",
)
BATCH_UNFINISHED = Kind(
    "batch-unfinished",
    503,
    "Some commands of the batch have no outcome yet: send it again with the same Idempotency-Key.",
    "批次尚未全部处理, 请用同一 Idempotency-Key 重新提交。",
)
ISSUER_UNREACHABLE = Kind(
    "issuer-unreachable",
    503,
    "The issuer's keys cannot be fetched now, so no token can be checked.",
    "暂时无法取得签发方密钥, 不能核验令牌。",
)

OWN_KINDS = tuple(value for value in list(globals().values()) if isinstance(value, Kind))
"""The kinds that this layer knows by itself; the rest are the domain's rules."""

_FAMILIES: tuple[tuple[type[Exception], int], ...] = (
    (Unavailable, 503),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (RuleBroken, 422),
)


class Problem(Exception):
    """Ends a request with one problem document. `fields` are extra members; `headers` go with the answer."""

    def __init__(self, kind: Kind, detail: str = "", /, *, headers: Headers | None = None, **fields: object) -> None:
        """Name the kind, what was wrong in this case, and what else to tell."""
        super().__init__(kind.code)
        self.kind = kind
        self.detail = detail
        self.headers = headers or []
        self.fields: Mapping[str, object] = fields

    def document(self, language: str) -> dict[str, Any]:
        """The members of the document, its title in `language` ("en" or "zh")."""
        title = self.kind.zh if language == "zh" else self.kind.title
        told = {f"rule_{name}" if name in _RESERVED else name: value for name, value in self.fields.items()}
        return {
            "type": self.kind.uri,
            "title": title,
            "status": self.kind.status,
            "detail": self.detail or _detail(title, told),
            "code": self.kind.code,
            **told,
        }


def _detail(title: str, told: Mapping[str, object]) -> str:
    """The rule's sentence with this case's plain values after it."""
    plain = [f"{name}: {_plain(value)}" for name, value in told.items() if not _nested(value)]
    return f"{title} ({'; '.join(plain)})" if plain else title


def _nested(value: object) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list | tuple) and any(map(_nested, value)))


def retry_after(seconds: float) -> Headers:
    """The Retry-After header: whole seconds, at least one."""
    return [(b"retry-after", str(max(1, round(seconds + 0.499))).encode())]


def kind_of(rule: type[DomainError]) -> Kind:
    """The kind of problem that a rule of the domain is."""
    status = next((status for family, status in _FAMILIES if issubclass(rule, family)), 422)
    sentence = (rule.__doc__ or "").strip().split("\n\n")[0]
    return Kind(rule.code, status, " ".join(sentence.split()), rule.zh)


def problem_of(error: Exception) -> Problem:
    """The problem that an exception is. One that nobody foresaw tells nothing of itself: the caller logs it."""
    match error:
        case Problem():
            return error
        case DomainError():
            headers = retry_after(error.retry_after) if isinstance(error, Unavailable) else []
            fields = {name: _plain(value) for name, value in error.fields.items()}
            problem = Problem(kind_of(type(error)), headers=headers)
            problem.fields = fields
            return problem
        case LogUnavailable():
            return problem_of(Unavailable())
        case _:
            return Problem(INTERNAL_ERROR)


_WHERE_RULES_ARE = (bus, handlers, exemption)  # importing these imports every module that has rules


def kinds() -> list[Kind]:
    """Every kind of problem there is, by status, then code."""
    rules = {kind_of(rule) for rule in _released(DomainError)}
    return sorted({*OWN_KINDS, *rules}, key=lambda kind: (kind.status, kind.code))


def render(problem: Problem, accept_language: str = "") -> tuple[int, Headers, bytes]:
    """Status, headers and body of the answer."""
    language = preferred_language(accept_language)
    body = orjson.dumps(problem.document(language), default=str)
    headers = [
        (b"content-type", MEDIA_TYPE),
        (b"content-length", str(len(body)).encode()),
        (b"content-language", b"zh-Hans" if language == "zh" else b"en"),
        (b"vary", b"accept-language"),
        *problem.headers,
    ]
    return problem.kind.status, headers, body


@lru_cache(maxsize=256)
def preferred_language(accept_language: str) -> str:
    """`zh` or `en`, whichever an Accept-Language header (RFC 9110 §12.5.4) puts first; `en` when it names neither."""
    best, weight = "en", 0.0
    for entry in accept_language[:200].split(","):
        tag, _, parameter = entry.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        name, _, value = parameter.strip().partition("=")
        try:
            quality = float(value) if name == "q" else 1.0
        except ValueError:
            quality = 0.0
        if language in ("zh", "en") and quality > weight:
            best, weight = language, quality
    return best


def _plain(value: object) -> object:
    """A rule's field as JSON can say it; sets in a fixed order."""
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value


def _released(family: type[DomainError]) -> Iterator[type[DomainError]]:
    for rule in family.__subclasses__():
        if rule.__module__.startswith("tongban."):
            # The families themselves are never raised.
            if rule not in (Forbidden, NotFound, Conflict, RuleBroken):
                yield rule
            yield from _released(rule)
