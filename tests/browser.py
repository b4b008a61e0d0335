"""Chromium for the browser tests: found, or installed, and said in one line. `python -m tests.browser` does it."""

import os
import shutil
import subprocess
import sys

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executable() -> str | None:
    """The path of a Chromium that is installed; None: Playwright's own download."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


def provide() -> str:
    """Find Chromium or install it: Debian's package as root, Playwright's own download otherwise."""
    if found := executable():
        return f"browser tests use {found}"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdout": subprocess.DEVNULL, "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}}
        subprocess.run(["apt-get", "update", "-q"], check=True, **quiet)
        subprocess.run(["apt-get", "install", "-y", "-q", "chromium"], check=True, **quiet)
        return "browser tests use Debian's chromium, installed just now"
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)
    return "browser tests use the Chromium that Playwright keeps"


if __name__ == "__main__":
    print(provide())
