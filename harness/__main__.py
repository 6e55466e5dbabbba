"""`python -m harness` is `rules-harness`."""

from harness.cli import main

if __name__ == "__main__":
    main()
