"""`python -m streampy` is the command `streampy`."""

from streampy.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
