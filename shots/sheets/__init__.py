"""The shot list as sheets: xlsx, csv and json, out and in."""
