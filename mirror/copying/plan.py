"""What a run is going to copy, kept on disk: a first copy of a large production is a long list."""

import json
import tempfile
from collections.abc import Iterator

from mirror.copying.store import Planned
from mirror.copying.tree import File


class Plan:
    """Appended to, then read once or more. `files` and `size` (bytes) say how much it is."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", prefix="aip-mirror-")  # noqa: SIM115  (closed by close)
        self.files = 0
        self.size = 0

    def add(self, planned: Planned) -> None:
        self._file.write(json.dumps([list(planned.file), list(planned.there) if planned.there else None]) + "\n")
        self.files += 1
        self.size += planned.file.size

    def __iter__(self) -> Iterator[Planned]:
        self._file.seek(0)
        for line in self._file:
            file, there = json.loads(line)
            yield Planned(File(*file), File(*there) if there else None)

    def close(self) -> None:
        self._file.close()
