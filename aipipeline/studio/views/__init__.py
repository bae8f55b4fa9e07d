"""Pages that need many apps at once."""
