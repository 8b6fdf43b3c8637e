"""The operator's settings for Slack: the table `slack` of the configuration."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from bot.core.phrases import Phrase
from bot.platforms.settings import http_url, revealed


class SlackSettings(BaseModel):
    """The table `slack`. The platform is on when `bot_token` is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bot_token: SecretStr | None = None
    """`xoxb-…`, from the app's page "OAuth & Permissions"."""
    app_token: SecretStr | None = None
    """`xapp-…` with the scope `connections:write`, from the app's page "Basic Information"."""
    signing_secret: SecretStr | None = None
    """Proves that an HTTP request comes from Slack, from the app's page "Basic Information"; Socket
    Mode needs none."""
    base_url: str = "https://slack.com/api/"
    """The name of a method is appended."""
    mode: Literal["socket", "http"] = "socket"
    """How events arrive: through a socket that the bot opens, or posted to `/slack` of its web
    server, which Slack must reach over HTTPS."""

    @property
    def lacks_token(self) -> bool:
        """Whether Slack is off for want of its bot token alone: others of its secrets are set."""
        others = revealed(self.app_token) or revealed(self.signing_secret)
        return bool(others) and not revealed(self.bot_token)

    @field_validator("bot_token")
    @classmethod
    def _is_of_a_bot(cls, token: SecretStr | None) -> SecretStr | None:
        if revealed(token) and not revealed(token).startswith(("xoxb-", "xoxe.xoxb-")):
            raise ValueError(Phrase("must begin with xoxb-: copy it from “OAuth & Permissions”"))
        return token

    @field_validator("app_token")
    @classmethod
    def _is_of_an_app(cls, token: SecretStr | None) -> SecretStr | None:
        if revealed(token) and not revealed(token).startswith("xapp-"):
            raise ValueError(Phrase("must begin with xapp-: copy it from “Basic Information”"))
        return token

    @field_validator("base_url")
    @classmethod
    def _http(cls, value: str) -> str:
        return http_url(value) + "/"
