"""What `veloflux demo` works on: 200 lines of a real access log, see SOURCE.md beside it."""

from pathlib import Path

EXCERPT = Path(__file__).parent / "access_log_excerpt.log"
