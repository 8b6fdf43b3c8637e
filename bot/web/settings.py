"""The operator's settings for the web server: the table `web` of the configuration."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class WebSettings(BaseModel):
    """The table `web`. The server runs where a platform posts its events to it, or for metrics."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """Where it listens; a reverse proxy in front of it speaks HTTPS. `0.0.0.0` in a container."""
    port: int = Field(default=8080, ge=0, le=65_535)
    metrics: bool = False
    """Whether `/metrics` is there for Prometheus; it names models and costs, and asks nobody who
    they are."""
