"""Tables as sheets: out as xlsx, csv and json, and in again with a three-way merge."""
