"""`veloflux demo` where nothing runs: the main job by itself, and nothing left behind."""

import os
import subprocess
import sys
from pathlib import Path

from veloflux.demo import EXCERPT


def test_demo_does_the_main_job_on_an_instance_of_its_own(tmp_path: Path) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("VELOFLUX_", "REDIS_"))}
    done = subprocess.run(
        [sys.executable, "-m", "veloflux", "demo"],
        env=inherited | {"VELOFLUX_DATA_DIR": str(tmp_path / "none"), "TMPDIR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    out = done.stdout.decode()
    assert done.returncode == 0, done.stderr.decode()
    assert "signed in as demo@example.com" in out
    assert f"{len(EXCERPT.read_bytes().splitlines())} recorded" in out
    assert "usage.imported" in out
    assert '"used":3' in out
    assert list(tmp_path.iterdir()) == []
