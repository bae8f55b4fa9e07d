"""Tables of tracked rows: columns declared once, from which grids, sheets, filters and the API derive."""
