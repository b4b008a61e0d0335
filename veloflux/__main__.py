"""The command `veloflux`, also as `python -m veloflux`."""

import sys
from collections.abc import Callable

from veloflux.errors import VeloFluxError
from veloflux.processes import PROCESSES


def main() -> None:
    """Run; an error of ours is one sentence on stderr and exit code 1, without a trace."""
    try:
        _chosen()()
    except VeloFluxError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _chosen() -> Callable[[], None]:
    [name, *rest] = sys.argv[1:] or [""]
    if name in PROCESSES and not rest:
        return PROCESSES[name]
    from veloflux.cli import app

    return app


if __name__ == "__main__":
    main()
