"""The production tree on disk: where folders are, what is written into them, and how they follow the rows."""
