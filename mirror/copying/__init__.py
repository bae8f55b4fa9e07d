"""The copy itself: walk, compare, plan, put, verify. Of the rows it knows only MirrorEntry."""
