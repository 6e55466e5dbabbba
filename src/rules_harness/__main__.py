"""`python -m rules_harness` is `rules-harness`."""

from rules_harness.harness.cli import main

if __name__ == "__main__":
    main()
