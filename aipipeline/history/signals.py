"""`changed`: sent inside the transaction after tracked rows were written, by an edit, an undo or a redo.

Arguments: sender (the model class), instances (list of rows), fields (set of field names), kind
("created", "updated", "removed", "restored"), recorder (the Recorder, so that a receiver's own edits join
the same action; None during undo and redo, which replay those edits themselves).

`replayed`: sent once at the end of an undo or redo, inside its transaction. Argument: touched (by model class, the rows
that were put back, by id). A receiver mends what follows from several rows, and returns the rows that it wrote in
the same form.
"""

from django.dispatch import Signal

changed = Signal()
replayed = Signal()
