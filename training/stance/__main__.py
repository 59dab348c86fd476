"""Let ``python -m stance`` do what ``stance`` does."""

from stance.cli import main

main()
