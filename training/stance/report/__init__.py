"""One self-contained HTML page out of tagged sentences: ``stance report``."""
