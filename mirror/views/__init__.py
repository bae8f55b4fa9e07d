"""The page of a project's mirrors."""
