"""Each measurement still runs through, as small as it goes. What it would say of speed says nothing here."""

import importlib
import shutil
from typing import Any

import pytest

from bench.__main__ import MEASUREMENTS, arguments

SMALL: dict[str, dict[str, Any]] = {
    "closing": {"TENANTS": 2, "COMMITS": 20, "LEAD_MS": 4_000},
    "clusters": {"CLUSTERS": (3,), "TENANTS": (1, 2), "CHECKS": 50},
    "commit": {"COMMITS": 20, "SETS": 100, "ROUNDS": 1},
    "events": {"BARS": {"everysec": 100_000}, "ROUNDS": 1, "SECONDS": 0.05},
    "fail_over": {"ROUNDS": 1, "LOAD_S": 0.1},
    "hot_tenant": {"MODES": ("everysec",), "ROUNDS": 1, "SECONDS": 0.05},
    "http": {"ROUNDS": 1},
    "in_process": {"ROUNDS": 1, "SECONDS": 0.05},
    "invoice_memory": {"TENANTS": 2},
    "log_in": {"ROUNDS": 1, "SECONDS": 1},
    "memory": {"NUMBER": 2},
    "meter_memory": {"DAYS": 2},
    "preview": {"ROUNDS": 1},
    "seen": {"NUMBERS": (100,), "TOGETHER": 200},
    "usage": {"ROUNDS": 1, "SECONDS": 0.05},
    "wall_timing": {"ASKED": 2, "WARM_UP": 1},
}
PROGRAMS = dict.fromkeys(("commit", "in_process"), "redis-benchmark") | dict.fromkeys(
    ("events", "http", "log_in", "preview", "usage"), "wrk"
)


@pytest.mark.parametrize("name", SMALL)
async def test_a_measurement_runs_through_and_no_call_fails(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name in PROGRAMS and not shutil.which(PROGRAMS[name]):
        pytest.skip(f"{PROGRAMS[name]} is not installed")
    module = importlib.import_module(f"bench.{name}")
    monkeypatch.setattr("bench.load.SECONDS", 1)
    monkeypatch.setattr("bench.commit.SETS", 100)
    for constant, value in SMALL[name].items():
        monkeypatch.setattr(module, constant, value)
    rows = await module.measure()
    assert rows
    assert [row.what for row in rows if row.failed] == []
    assert {row.script for row in rows} == {f"{name}.py"}


def test_none_named_means_all_and_one_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert (arguments([]).names, arguments([]).stored) == ([], 1_000_000)
    asked = arguments(["http", "postgres_stored", "--stored", "10000000"])
    assert (asked.names, asked.stored) == (["http", "postgres_stored"], 10_000_000)
    with pytest.raises(SystemExit):
        arguments(["https"])
    assert "nothing measures https; choose from http, " in capsys.readouterr().err
    assert {*SMALL, "postgres", "postgres_stored"} == set(MEASUREMENTS)
