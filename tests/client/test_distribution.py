"""`veloflux-client` is a distribution of its own: small, typed, without the server's dependencies."""

import os
import re
import subprocess
import sys
import tomllib
from typing import Any

from tests.client.conftest import Customer
from tests.test_repository import ROOT

LOADED = "import sys, veloflux_client; print(*{name.partition('.')[0] for name in sys.modules})"


def project(name: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / name).read_text("utf-8"))["project"]
    return found


def names(dependencies: list[str]) -> set[str]:
    return {re.match(r"[\w-]+", each)[0].replace("-", "_") for each in dependencies}  # type: ignore[index]


def test_the_client_needs_an_http_client_and_nothing_else_of_the_servers() -> None:
    client, server = project("client/pyproject.toml"), project("pyproject.toml")
    assert names(client["dependencies"]) == {"httpx2"}
    assert (client["license"], client["requires-python"]) == ("Apache-2.0", server["requires-python"])
    environ = os.environ | {"PYTHONPATH": str(ROOT / "client")}
    loaded = subprocess.run([sys.executable, "-c", LOADED], env=environ, capture_output=True, text=True, check=True)
    assert "httpx2" in loaded.stdout.split()
    server_only = names(server["dependencies"]) - {"httpx2", "idna"} | {"veloflux"}
    assert server_only & set(loaded.stdout.split()) == set()


def test_the_client_has_types_and_a_license() -> None:
    assert (ROOT / "client/veloflux_client/py.typed").exists()
    assert (ROOT / "client/LICENSE").read_text("utf-8") == (ROOT / "LICENSE").read_text("utf-8")


def test_the_example_of_ten_lines_asks_and_tells(customer: Customer) -> None:
    example = ROOT / "client/examples/record_and_check.py"
    code = [line for line in example.read_text("utf-8").splitlines() if line.strip()]
    assert len(code) <= 10
    environ = os.environ | customer.environ | {"PYTHONPATH": str(ROOT / "client")}
    done = subprocess.run([sys.executable, str(example)], env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "allowed=True remaining=999\n"
    assert customer.used() == 1
