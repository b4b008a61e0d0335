"""How much memory there is: the machine's, or less where a control group (a container) says so."""

from pathlib import Path

import psutil


def usable_bytes(membership: Path = Path("/proc/self/cgroup"), tree: Path = Path("/sys/fs/cgroup")) -> int:
    """The least of the machine's memory and the limits of the control groups around this process, in bytes.

    `membership` names the groups (cgroups(7)), `tree` is where they are mounted, of version 1 or 2.
    """
    limits = [int(psutil.virtual_memory().total)]
    for line in membership.read_text().splitlines() if membership.exists() else ():
        _, controllers, group = line.split(":", 2)
        if not controllers:
            limits += _limits(tree, group, "memory.max")
        elif "memory" in controllers.split(","):
            limits += _limits(tree / "memory", group, "memory.limit_in_bytes")
    return min(limits)


def _limits(root: Path, group: str, name: str) -> list[int]:
    folder = root / group.strip("/")
    texts = [path.read_text().strip() for at in (folder, *folder.parents) if (path := at / name).exists()]
    return [int(text) for text in texts if text.isdecimal()]
