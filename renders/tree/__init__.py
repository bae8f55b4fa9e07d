"""The production tree as people see it: what lies on the disk, joined with what the database knows. Reads only."""
