"""``python -m partway`` is the command line."""

from partway.cli import main

if __name__ == "__main__":
    main()
