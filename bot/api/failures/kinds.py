"""What an error means for a person: its code decides, then known words, and the status last.

The status often belongs to something else: a gateway out of credit says 401, 403 or 429.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.api.failures.overruns import BLIND
from bot.errors import ModelErrorKind

Kind = ModelErrorKind

TOO_MANY = 429
_CODES = {
    Kind.QUOTA: (
        "insufficient_quota",
        "insufficient_user_quota",
        "pre_consume_token_quota_failed",
        "billing_hard_limit_reached",
        "billing_not_active",
        "credit_balance_exhausted",
        "billing_error",  # Anthropic
        "insufficient_balance",
        "exceeded_current_quota_error",  # Moonshot
        "arrearage",  # Alibaba
        "accountoverdueerror",  # Volcengine
        "budget_exceeded",  # LiteLLM
        "allocationquota.freetieronly",  # Alibaba, under 403
        "usage_limit_exceeded",  # sub2api: under 429 until the day or the week is over
        "api_key_quota_exhausted",  # sub2api, as the following; under 429 and 403
        "subscription_not_found",
    ),
    Kind.MODEL_NOT_FOUND: (
        "model_not_found",
        "model_not_exist",
        "model_not_available",
        "model_decommissioned",  # Groq
        "model_price_error",  # new-api: a model that nobody can pay for
        "modelnotopen",
        "model.accessdenied",  # Alibaba, under 403
        "deploymentnotfound",  # Azure
        "key_model_access_denied",  # LiteLLM, as the following
        "team_model_access_denied",
        "user_model_access_denied",
        "org_model_access_denied",
        "project_model_access_denied",
    ),
    Kind.CONTEXT_TOO_LONG: (
        "context_length_exceeded",
        "string_above_max_length",
        "exceed_context_size_error",  # llama.cpp
        "request_too_large",  # Anthropic
    ),
    Kind.REFUSED: (
        "content_policy_violation",
        "content_filter",
        "moderation_blocked",
        "prompt_blocked",  # new-api, as the following
        "violation_fee.grok.csam",
        "data_inspection_failed",
        "datainspectionfailed",
        "sensitive_words_detected",
        "sensitivecontentdetected",
        "inputtextsensitivecontentdetected",
        "inputimagesensitivecontentdetected",
        "outputtextsensitivecontentdetected",
        "outputimagesensitivecontentdetected",
    ),
    Kind.BAD_KEY: (
        "invalid_api_key",
        "authentication_error",
        "account_deactivated",
        "expired_key",  # LiteLLM, under 400
    ),
    Kind.RATE_LIMITED: ("rate_limit_exceeded", "rate_limit_error", "too_many_requests"),
    Kind.SERVER: ("server_error", "internal_server_error", "overloaded_error", "bad_gateway"),
    # Said under 403 where OpenAI is not offered: a gateway has other servers, in other countries.
    Kind.BAD_ANSWER: ("unsupported_country_region_territory",),
}
_KIND_OF_CODE = {code: kind for kind, codes in _CODES.items() for code in codes}
_TOO_LARGE = re.compile(r"request too large for", re.IGNORECASE)
"""More than a whole minute allows (OpenAI, Groq): under the code of a limit, but no wait helps."""
_INVALID = frozenset({"invalid_request", "convert_request_failed"})
"""What new-api says itself of a request that is wrong: under 500, though no repetition helps."""
_BEHIND = "bad_response_status_code"
"""What one-api and new-api call an answer of the server behind them that tells nothing (one-api,
relay/controller/error.go; new-api, service/error.go). Its status goes on to us: a 401 or 403 is
about their key there, not about ours, and another server may be behind the next request."""
_REQUESTS = frozenset({Kind.BAD_REQUEST, Kind.CONTEXT_TOO_LONG})
"""Kinds that the words of an error tell although its code names a fault of the server: so does
llama.cpp when its chat template refuses a request."""
_WORDS = (
    (
        Kind.QUOTA,
        r"insufficient (user |account )?(quota|balance|credit)|quota is (not enough|exhausted)"
        r"|budget has been exceeded|exceededbudget|over budget"
        r"|balance is (insufficient|not enough|too low)|overdue balance"
        r"|^key limit exceeded|budget limit exceeded|specified api usage limits"
        r"|payment is past due"  # Ollama's cloud, under 403
        r"|额度不足|余额不足|额度已用[尽完]|预扣费额度失败|欠费",
    ),
    (
        Kind.MODEL_NOT_FOUND,
        r"\bmodels?\b.{0,80}(does not exist|not found|not exist|is not available)"
        # Google, xAI, Groq, of models of old; Anthropic; sub2api.
        r"|\bmodels?\b.{0,80}(no longer (available|accessible)|has been decommissioned)"
        r"|^model: [\w.:-]+$|not supported by any configured account"
        r"|no available channel for model|no access to model|not found the model"
        r"|not a valid model|invalid model name|no healthy deployments for"
        r"|no endpoints (found|available) (for|matching)|no allowed providers (are )?available"
        r"|not allowed to access model|must be verified to use the model"
        # Ollama's cloud; OpenRouter, of models that a country or an account may not use.
        r"|model requires a subscription|violation of provider terms of service"
        r"|无可用渠道|无权(访问|使用)模型|模型不存在",
    ),
    (Kind.UNSUPPORTED, r"^unexpected endpoint or method"),
    (
        Kind.BAD_REQUEST,
        rf"{BLIND.pattern}|jinja|roles must alternate|should alternate with assistant"
        r"|(system|assistant)( and tool)? roles? (is |are )?(not )?supported"
        r"|support (response_format|verbose_json)"
        # apiyi.com says so under 429, too (docs.apiyi.com/en/faq/model-error-troubleshooting).
        r"|unsupported (parameter|value)\b|unknown parameter\b|unrecognized request argument",
    ),
    (
        Kind.CONTEXT_TOO_LONG,
        r"context (window|length|size|limit|shift)|(prompt|messages?) (is |are )?too long"
        r"|input.{0,20}too long|too many (input )?tokens|reduce the length"
        r"|range of input length|model token limit|input token count.{0,40}exceeds"
        r"|maximum (model|prompt|allowed) length|prompt exceeds max"
        r"|(\b|prompt_|input_)tokens.{0,40}exceeds? (the )?"
        r"((customer )?model )?(max|limit|configured)"
        r"|`inputs` (must have|tokens \+)"
        r"|(input length|token count).{0,20}exceeds"
        r"|max_(seq|model)_len|\bn_ctx\b|physical batch size"
        r"|超长|上下文.{0,10}(过长|超)|超[过出].{0,12}(长度|上下文)",
    ),
    (
        Kind.REFUSED,
        r"content ?policy|safety system|content management policy|usage (polic|guideline)"
        r"|input was flagged|content exists risk|considered high risk|inappropriate content|敏感"
        r"|\bno_image\b|prohibited_content|(in|out)put new_sensitive"
        r"|rejected by content moderation",
    ),
    (
        Kind.BAD_KEY,
        r"(invalid|incorrect) (api[ -]?key|token)|api[ -]?key not valid|无效的令牌",
    ),
)
_STATUS_KINDS = {
    401: Kind.BAD_KEY,
    402: Kind.QUOTA,
    403: Kind.BAD_KEY,
    404: Kind.UNSUPPORTED,
    405: Kind.UNSUPPORTED,
    408: Kind.TIMEOUT,
    409: Kind.SERVER,
    TOO_MANY: Kind.RATE_LIMITED,
    501: Kind.UNSUPPORTED,
    504: Kind.TIMEOUT,
    522: Kind.TIMEOUT,
    524: Kind.TIMEOUT,
}


def kind_of(status: int, error: Mapping[str, str]) -> ModelErrorKind:
    """The kind of an error as `read_error` gives it."""
    if _TOO_LARGE.search(error["message"]):
        return Kind.CONTEXT_TOO_LONG
    words = (error["code"].lower(), error["type"].lower())
    named = next((_KIND_OF_CODE[word] for word in words if word in _KIND_OF_CODE), None)
    if named not in (None, Kind.SERVER):
        return named
    told = _told(status, error["message"])
    if named is None or told in _REQUESTS:
        named = told
    if named is None and status >= 500 and error["code"].lower() in _INVALID:
        return Kind.BAD_REQUEST
    if named is None and status in (401, 403) and error["code"].lower() == _BEHIND:
        return Kind.SERVER
    return named or _by_status(status)


def _told(status: int, message: str) -> ModelErrorKind | None:
    """What the words of an error tell; None when nothing."""
    for kind, pattern in _WORDS:
        if re.search(pattern, message, re.IGNORECASE):
            # "Too many tokens, please wait" (Bedrock) speaks of the minute, not of the text.
            limited = status == TOO_MANY and kind is Kind.CONTEXT_TOO_LONG
            return Kind.RATE_LIMITED if limited else kind
    return None


def _by_status(status: int) -> ModelErrorKind:
    if status in _STATUS_KINDS:
        return _STATUS_KINDS[status]
    if 300 <= status < 400:
        return Kind.BAD_ANSWER
    return Kind.SERVER if status >= 500 else Kind.BAD_REQUEST
