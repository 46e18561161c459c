"""`python solve.py INSTANCE …` is `orepact solve INSTANCE …`; see `python solve.py --help`."""

import sys

try:
    from orepact.cli import main
except ModuleNotFoundError as missing:
    sys.exit(
        f"solve.py: {missing.name} is not installed. Install Orepact and what it needs with\n"
        "    pip install -e .\n"
        "or let `make solve` set everything up in .venv and solve the first instance."
    )

if __name__ == "__main__":
    sys.exit(main(["solve", *sys.argv[1:]]))
