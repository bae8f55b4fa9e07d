"""What apps above the shot list are asked and told when folders of the production tree move.

folders_moving(project, folders): these Folder rows are about to move; a receiver whose work is under way in one of
them raises Conflict, naming whose it is, and nothing moves. Sent inside a transaction and once more before the disk is
touched.
folder_moved(folder, before, after): sent inside the transaction that gives the row its new place, after the files
went there; receivers rewrite the paths that they keep. `before` and `after` are relative to the project.
"""

from django.dispatch import Signal

folders_moving = Signal()
folder_moved = Signal()
