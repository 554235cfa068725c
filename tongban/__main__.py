"""`python -m tongban …`: the same as the `tongban` command."""

from tongban.cli import main

if __name__ == "__main__":
    main()
