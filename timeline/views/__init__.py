"""Pages of the cut."""
