"""`python -m veloflux` is the command `veloflux`."""

from veloflux.cli import main

if __name__ == "__main__":
    main()
