"""A project made again from its tree on disk: `./aip manage rebuild_from_tree PATH`."""
