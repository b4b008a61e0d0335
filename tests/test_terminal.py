"""What commands print."""

from datetime import datetime

import pytest

from veloflux.limits.leases import Held
from veloflux.limits.leases_commands import COLUMNS
from veloflux.terminal import show


def test_a_table_shows_times_as_people_write_them_and_json_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    until = 1_795_355_876_042
    held = Held(id="rsv_1.requests", meter="requests", unit="count", cost=100, until=until)
    show([held], json=False, columns=COLUMNS)
    shown = capsys.readouterr().out
    assert datetime.fromtimestamp(until / 1000).astimezone().isoformat(" ", "seconds") in shown.replace("\n", "")
    show(held, json=True)
    assert f'"until":{until}' in capsys.readouterr().out
