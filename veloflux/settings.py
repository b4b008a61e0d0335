"""Every setting once: name, type, default, one line of help.

A value comes from the first of: the environment (`VELOFLUX_PORT`), a file that the environment names
(`VELOFLUX_SECRET_FILE`, for secrets), the file `veloflux.toml` in the working directory (or `VELOFLUX_CONFIG`),
the default. `REDIS_URL` is accepted beside `VELOFLUX_REDIS_URL`.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from veloflux.errors import SettingInvalid

PREFIX = "VELOFLUX_"
DAY_S = 86_400
Pace = Annotated[str, Meta(pattern=r"^[1-9]\d{0,6}/(s|min|h|d)$")]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    data_dir: Annotated[Path, Meta(description="Folder of the embedded Redis, the outbox and the logs")] = Path("data")
    redis_url: Annotated[
        str,
        Meta(
            description="redis:// or rediss:// of a Redis or Valkey of your own, a cluster too; empty: the embedded one"
        ),
    ] = ""
    redis_timeout_ms: Annotated[int, Meta(description="Longest wait for an answer of Redis", ge=50)] = 2_000
    check_timeout_ms: Annotated[
        int, Meta(description="Longest that a check waits for its decision before it is refused as unavailable", ge=10)
    ] = 80
    redis_wait_replicas: Annotated[
        int,
        Meta(description="Replicas that must have a write before it is answered, so that a fail-over loses none", ge=0),
    ] = 0
    redis_unsafe: Annotated[
        bool, Meta(description="Start even on a Redis that can lose data; `veloflux doctor` still says so")
    ] = False
    appendfsync: Annotated[
        str,
        Meta(
            description="When the embedded Redis syncs to disk: always or everysec",
            pattern="^(always|everysec)$",
        ),
    ] = "always"
    maxmemory_share: Annotated[
        float, Meta(description="Share of the machine's memory that the embedded Redis may use", gt=0, le=0.9)
    ] = 0.6
    host: Annotated[str, Meta(description="Address that the web server listens on")] = "127.0.0.1"
    port: Annotated[int, Meta(description="Port that the web server listens on", ge=1, le=65535)] = 8080
    web_processes: Annotated[int, Meta(description="Number of web processes", ge=1, le=64)] = 1
    public_url: Annotated[
        str,
        Meta(
            description="URL under which people reach the console; empty: http://<host>:<port>",
            pattern=r"^(https?://[^/\s]\S*)?$",
        ),
    ] = ""
    trusted_proxies: Annotated[
        tuple[str, ...], Meta(description="Networks whose X-Forwarded-For is believed, separated by commas")
    ] = ()
    body_limit: Annotated[int, Meta(description="Largest request body, in bytes", ge=1024)] = 8_388_608
    secret: Annotated[
        str,
        Meta(
            description="Installation secret, 32 bytes or more in base64url; empty: <data_dir>/secret, made if missing",
            extra={"secret": True},
        ),
    ] = ""
    metrics_token: Annotated[
        str,
        Meta(description="Bearer token for /metrics from elsewhere than loopback", extra={"secret": True}),
    ] = ""
    session_idle_s: Annotated[int, Meta(description="A session ends after so many seconds without use", ge=60)] = (
        14 * DAY_S
    )
    session_absolute_s: Annotated[int, Meta(description="A session ends so many seconds after log-in", ge=60)] = (
        90 * DAY_S
    )
    oidc_private_networks: Annotated[
        bool,
        Meta(description="Let tenants' sign-in providers be in private networks and on loopback, also without TLS"),
    ] = False
    session_pace: Annotated[
        Pace, Meta(description="Calls of one session; so many at once, then one at a time, as 10/s or 600/min")
    ] = "1200/min"
    api_key_pace: Annotated[Pace, Meta(description="Calls of one API key or token, to all but /api/check")] = "1000/s"
    address_pace: Annotated[Pace, Meta(description="Calls of one address that nobody signed for, forms too")] = (
        "600/min"
    )
    password_hash_threads: Annotated[int, Meta(description="Password hashes computed at a time", ge=1)] = 2
    worker_concurrency: Annotated[int, Meta(description="Owners and jobs that one worker handles at a time", ge=1)] = 64
    tenant_grace_days: Annotated[
        int, Meta(description="Days in which the deletion of a tenant can be undone", ge=0, le=3_650)
    ] = 30
    erasure_grace_days: Annotated[
        int, Meta(description="Days in which a person can take back the wish to be erased", ge=0, le=30)
    ] = 7
    raw_events: Annotated[
        int, Meta(description="How many events of a tenant are kept as they came; 0: none", ge=0, le=10_000)
    ] = 1_000
    raw_events_hours: Annotated[int, Meta(description="Hours for which events are kept as they came", ge=1, le=720)] = (
        24
    )
    fiscal_provider: Annotated[
        Literal["none", "fake"],
        Meta(description="Who issues fiscal documents (NFS-e) of invoices to tenants in Brazil; fake: for trying it"),
    ] = "none"
    invoice_grace_hours: Annotated[
        int, Meta(description="Hours after a period in which late usage still comes onto its invoice", ge=0, le=720)
    ] = 1
    invoice_numbers: Annotated[
        Literal["tenant", "operator"],
        Meta(description="Whose row of numbers an invoice stands in: each tenant's own, or one for all"),
    ] = "tenant"
    seller_name: Annotated[str, Meta(description="Who invoices say that sells; empty: VeloFlux", max_length=200)] = ""
    seller_tax_id: Annotated[str, Meta(description="The seller's tax number, as invoices show it", max_length=60)] = ""
    seller_address: Annotated[
        str, Meta(description="The seller's address, as invoices show it; it may have several lines", max_length=500)
    ] = ""
    seller_email: Annotated[str, Meta(description="Where who got an invoice can ask", max_length=254)] = ""
    dunning_days: Annotated[
        str,
        Meta(
            description="Days between the tries to collect an invoice",
            pattern=r"^[0-9]{1,2}(,[0-9]{1,2}){0,9}$",
        ),
    ] = "3,5,7"
    dunning_grace_days: Annotated[
        int, Meta(description="Days after the last try until the subscription is past due", ge=0, le=90)
    ] = 3
    sandbox_payments: Annotated[
        bool, Meta(description="A provider of payments that only plays collects the invoices of sandbox tenants")
    ] = False
    log_level: Annotated[
        str, Meta(description="debug, info, warning or error", pattern="^(debug|info|warning|error)$")
    ] = "info"

    @property
    def embedded(self) -> bool:
        return not self.redis_url

    @property
    def console_url(self) -> str:
        host = reachable(self.host)
        host = f"[{host}]" if ":" in host else host
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"


def reachable(host: str) -> str:
    """Where this machine reaches a server that listens on `host`: on loopback if that means every address.

    >>> reachable("0.0.0.0"), reachable("::"), reachable("10.0.0.7")
    ('127.0.0.1', '::1', '10.0.0.7')
    """
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound


def describe() -> list[tuple[str, str, str, str]]:
    """One row a setting, in order: environment name, type, default, help."""
    rows = []
    for field in msgspec.inspect.type_info(Settings).fields:  # type: ignore[attr-defined]
        kind, meta = field.type.type, field.type.extra_json_schema
        rows.append(
            (
                PREFIX + field.name.upper(),
                type(kind).__name__.removesuffix("Type").lower().replace("vartuple", "list").replace("custom", "path"),
                "" if field.default == () else str(field.default),
                str(meta["description"]),
            )
        )
    return rows


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from environment and file.

    :raises SettingInvalid: names the setting, the value's fault and where the value came from.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = _from_file(environ)
    names = set(Settings.__struct_fields__)
    if "REDIS_URL" in environ:
        values["redis_url"] = environ["REDIS_URL"]
    for variable, value in environ.items():
        name = variable.removeprefix(PREFIX).lower()
        if not variable.startswith(PREFIX) or name == "config":
            continue
        if name in names:
            values[name] = value
        elif name.endswith("_file") and name.removesuffix("_file") in names:
            values[name.removesuffix("_file")] = _secret_file(variable, value)
        else:
            raise SettingInvalid(f"{variable} is not a setting{_closest(name, names)}")
    if isinstance(proxies := values.get("trusted_proxies"), str):
        values["trusted_proxies"] = [part.strip() for part in proxies.split(",") if part.strip()]
    try:
        settings = msgspec.convert(values, Settings, strict=False, dec_hook=lambda kind, value: kind(value))
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$.")
        raise SettingInvalid(f"{PREFIX}{place.rstrip('`').upper()} is invalid: {reason}") from None
    for network in settings.trusted_proxies:
        _check_network(network)
    return settings


def environment(settings: Settings) -> dict[str, str]:
    """The environment, for child processes, in which `load` answers these settings whatever files there are."""
    environ = {name: value for name, value in os.environ.items() if name != "REDIS_URL" and not name.startswith(PREFIX)}
    for name, value in msgspec.structs.asdict(settings).items():
        environ[PREFIX + name.upper()] = ",".join(value) if isinstance(value, tuple) else str(value)
    return environ | {PREFIX + "CONFIG": os.devnull}


def _from_file(environ: Mapping[str, str]) -> dict[str, Any]:
    named = environ.get(PREFIX + "CONFIG")
    path = Path(named or "veloflux.toml")
    if not named and not path.exists():
        return {}
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingInvalid(f"The settings file {path} cannot be read: {error}") from None
    for name in values:
        if name not in Settings.__struct_fields__:
            raise SettingInvalid(f"{name} in {path} is not a setting{_closest(name, set(Settings.__struct_fields__))}")
    return values


def _secret_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingInvalid(f"The file that {variable} names cannot be read: {error}") from None


def _check_network(text: str) -> None:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise SettingInvalid(
            f"{PREFIX}TRUSTED_PROXIES is invalid: {text!r} is no address and no network such as 10.0.0.0/8"
        ) from None


def _closest(name: str, names: set[str]) -> str:
    close = difflib.get_close_matches(name, names, 1)
    return f"; did you mean {PREFIX}{close[0].upper()}?" if close else ""
