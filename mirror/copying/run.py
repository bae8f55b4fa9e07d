"""One run: compare both sides, copy what is planned, read back when asked. Safe to begin again at any moment."""

import hashlib
import os
import time
from collections.abc import Iterator

from django.utils.translation import gettext as _

from celery_workers.ledger import LeaseLost
from mirror.copying.entries import forget_older, known_states, remember
from mirror.copying.left_out import LeftOut
from mirror.copying.meter import Meter
from mirror.copying.plan import Plan
from mirror.copying.report import Report
from mirror.copying.store import BATCH, CHUNK, Known, Outcome, Planned, Staged, Store, Verdict
from mirror.copying.tree import File, Tree
from mirror.models import MirrorTarget

# What is copied becomes visible in groups: so many files, or as many as came in so many seconds.
GROUP_FILES, GROUP_SECONDS = 200, 2.0


class Run:
    """`target` is copied to through `store`; `report` fills as the run goes, whatever ends it."""

    def __init__(
        self, *, target: MirrorTarget, source: Tree, store: Store, meter: Meter, report: Report, left_out: LeftOut
    ) -> None:
        self.target = target
        self.source = source
        self.store = store
        self.meter = meter
        self.report = report
        self.left_out = left_out

    def go(self, *, dry_run: bool = False, verify: bool = False) -> None:
        """The whole run. StorageError, TargetRefused, TaskCancelled or LeaseLost end it early."""
        self.store.prepare(write=not dry_run)
        plan = Plan()
        try:
            self._compare(plan)
            if dry_run:
                for planned in plan:
                    why = _("changed") if planned.there else _("new")
                    self.report.show("paths", planned.file.path, why)
                return
            if plan.files:
                self._copy(plan)
        finally:
            plan.close()
        if verify:
            self._verify()

    # --- both sides ---------------------------------------------------------------------------------------
    def _files(self, *, tell: bool) -> Iterator[File]:
        def strange(path: str, why: str) -> None:
            # Links and devices are none of a production's files; a name or a folder that cannot be read is a problem.
            if tell and why not in ("link", "special"):
                words = {"encoding": _("the name is not UTF-8"), "long": _("the path is too long")}
                self.report.tell("skipped", path, words.get(why, why))

        return self.source.walk(skip=self.left_out.skip, strange=strange)

    def _pairs(self, *, tell: bool) -> Iterator[tuple[File | None, File | None]]:
        """The files of both sides by path; None where one side has none. Both come in the same order."""
        ours, theirs = self._files(tell=tell), self.store.listing()
        here, there = next(ours, None), next(theirs, None)
        while here is not None or there is not None:
            if there is None or (here is not None and here.path < there.path):
                yield here, None
                here = next(ours, None)
            elif here is None or there.path < here.path:
                yield None, there
                there = next(theirs, None)
            else:
                yield here, there
                here, there = next(ours, None), next(theirs, None)

    # --- compare ------------------------------------------------------------------------------------------
    def _compare(self, plan: Plan) -> None:
        self.meter.begin("compare")
        meter, same, doubtful = self.meter, self.store.same, list[tuple[File, File]]()
        files = equal = 0
        for here, there in self._pairs(tell=True):
            if here is None:
                assert there is not None  # one of both is there
                if not self.left_out.covers(there.path):
                    self.report.tell("extra", there.path)
                continue
            files += 1
            if there is None:
                self._plan(plan, Planned(here, None))
            elif same(here, there):
                equal += 1
            else:
                doubtful.append((here, there))
                if len(doubtful) >= BATCH:
                    self._decide(plan, doubtful)
                    doubtful.clear()
            if not files % 64:
                meter.files = files
                meter.tick()
        self._decide(plan, doubtful)
        self.report.add("files", files)
        self.report.add("same", equal)

    def _plan(self, plan: Plan, planned: Planned) -> None:
        plan.add(planned)
        self.report.add("changed" if planned.there else "new")
        self.report.add("to_copy_bytes", planned.file.size)

    def _decide(self, plan: Plan, doubtful: list[tuple[File, File]]) -> None:
        if not doubtful:
            return
        known = known_states(self.target, [here.path for here, _there in doubtful])
        found: dict[str, Known] = {}
        for here, there, verdict, asked in self.store.judge(doubtful, known):
            if asked is not None:
                found[here.path] = asked
            if verdict == Verdict.SAME:
                self.report.add("same")
            elif verdict == Verdict.CHANGED:
                self._plan(plan, Planned(here, there))
            else:
                self.report.tell("conflict", here.path, _("something else lies there, and not from this mirror"))
        if found:
            remember(self.target, found)
            forget_older(self.target, found)

    # --- copy ---------------------------------------------------------------------------------------------
    def _copy(self, plan: Plan) -> None:
        self.meter.begin("copy", files=plan.files, size=plan.size)
        group: list[Staged] = []
        began = time.monotonic()
        try:
            for staged in self.store.stage(plan):
                if staged.outcome == Outcome.COPIED:
                    group.append(staged)
                else:
                    self._told(staged)
                if len(group) >= GROUP_FILES or time.monotonic() - began >= GROUP_SECONDS:
                    self._settle(group)
                    began = time.monotonic()
                self.meter.file_done()
        except LeaseLost:
            raise  # somebody else is at it: what we have staged is not ours to show any more
        except BaseException:
            self._settle(group)
            raise
        self._settle(group)

    def _settle(self, group: list[Staged]) -> None:
        """First remember what the files will be, then show them: whatever dies in between, ours is known as ours."""
        states = {staged.planned.file.path: staged.known for staged in group if staged.known is not None}
        if not states:
            return
        remember(self.target, states)
        landing = list(group)
        group.clear()  # whatever happens now: nothing is landed twice
        for staged in self.store.land(landing):
            if staged.outcome == Outcome.COPIED and staged.known is not None:
                self.report.add("copied")
                self.report.add("bytes", staged.known.size)
            else:
                states.pop(staged.planned.file.path, None)
                self._told(staged)
        forget_older(self.target, states)

    def _told(self, staged: Staged) -> None:
        if staged.outcome == Outcome.SAME:
            self.report.add("same")
        else:
            self.report.tell(staged.outcome.value, staged.planned.file.path, staged.why)

    # --- verify -------------------------------------------------------------------------------------------
    def _verify(self) -> None:
        """Read back what is the same on both sides, against the checksum of what was copied."""
        size = self.report.counts["bytes"]
        self.meter.begin("verify", files=self.report.counts["same"] + self.report.counts["copied"], size=size)
        batch: list[tuple[File, File]] = []
        for here, there in self._pairs(tell=False):
            if here is not None and there is not None and here.size == there.size:
                batch.append((here, there))
            if len(batch) >= BATCH:
                self._verify_batch(batch)
                batch.clear()
        self._verify_batch(batch)

    def _verify_batch(self, batch: list[tuple[File, File]]) -> None:
        known = known_states(self.target, [here.path for here, _there in batch])
        for here, there in batch:
            states = [k for k in known.get(here.path, ()) if (k.size, k.mtime_ns) == (here.size, here.mtime_ns)]
            if not states and not self.store.same(here, there):
                continue  # not the same: told by the comparison
            wanted = states[0].sha256 if states else self._hash_of_source(here)
            if wanted is None:
                continue
            digest = hashlib.sha256()
            for data in self.store.read(here.path):
                digest.update(data)
                self.meter.advance(len(data))
            self.meter.file_done()
            self.report.add("verified")
            if digest.hexdigest() != wanted:
                self.report.tell("damaged", here.path, _("it does not read back as what was copied"))

    def _hash_of_source(self, file: File) -> str | None:
        """For a file that lay there before the mirror knew it; None when it went away or changed meanwhile."""
        digest = hashlib.sha256()
        try:
            fd = self.source.open(file.path, os.O_RDONLY)
        except OSError:
            return None
        try:
            while data := os.read(fd, CHUNK):
                digest.update(data)
                self.meter.tick()
            facts = os.fstat(fd)
        except OSError:
            return None
        finally:
            os.close(fd)
        return digest.hexdigest() if (facts.st_size, facts.st_mtime_ns) == (file.size, file.mtime_ns) else None
