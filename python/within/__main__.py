"""``python -m within``: the command-line tool, the same as the program ``within``."""

import os
import sys


def main():
    """Become the command."""
    os.environ.setdefault("WITHIN_PYTHON", sys.executable)  # whose pyarrow `within export --parquet` asks for
    command = os.path.join(os.path.dirname(__file__), "bin", "within")
    os.execv(command, ["within", *sys.argv[1:]])


if __name__ == "__main__":
    main()
