"""`changed`: sent inside the transaction after tracked rows were written, by an edit, an undo or a redo.

Arguments: sender (the model class), instances (list of rows), fields (set of field names), kind
("created", "updated", "removed", "restored"), recorder (the Recorder, so that a receiver's own edits join
the same action; None during undo and redo, which replay those edits themselves).
"""

from django.dispatch import Signal

changed = Signal()
