"""The ledger's kinds: a run of a mirror, and the test of a place before it is one."""

from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aipipeline.media.storage import storage_error
from aipipeline.projects.errors import Conflict, NotFound, PipelineError
from aipipeline.projects.models import Project
from celery_workers.kinds import ledger_kind
from celery_workers.ledger import LeaseLost, TaskCancelled, TaskContext
from mirror.copying.left_out import LeftOut
from mirror.copying.meter import Meter
from mirror.copying.path_place import Place
from mirror.copying.path_store import PathStore
from mirror.copying.report import Report
from mirror.copying.run import Run
from mirror.copying.store import Store, TargetAway
from mirror.copying.tree import Tree
from mirror.models import MirrorTarget, RunState, TargetKind
from mirror.services import places
from mirror.services.runs import finish_run, mark_place
from mirror.services.targets import unsaved_target

MB = 1_000_000


@ledger_kind("mirror.run", label=gettext_lazy("Mirror"), queue="files")
def run_mirror(context: TaskContext) -> dict[str, Any]:
    """`params`: target (id), dry_run, verify. The result is the report; a real run also leaves it at the target."""
    params = context.params
    target = MirrorTarget.objects.select_related("project").filter(pk=params.get("target")).first()
    if target is None:
        raise NotFound(_("This mirror was removed."))
    if target.task_id != context.task.pk:
        raise Conflict(_("Another run of this mirror is at work."))
    report = Report()
    if params.get("dry_run"):
        _work(context, target, report)
        return report.as_json()
    state, message = RunState.FAILED, ""
    try:
        _work(context, target, report)
        state = RunState.ATTENTION if report.needs_attention else RunState.OK
    except TaskCancelled:
        state = RunState.CANCELLED
        raise
    except LeaseLost:
        raise
    except PipelineError as error:
        message = str(error.message)
        raise
    except Exception as error:
        message = f"{type(error).__name__}: {error}"[:400]
        raise
    finally:
        if state != RunState.FAILED or message:
            finish_run(target=target, task=context.task, state=state, message=message, result=report.as_json())
    return report.as_json()


def _work(context: TaskContext, target: MirrorTarget, report: Report) -> None:
    params = context.params
    meter = Meter(context, limit=target.limit_mb * MB)
    with ExitStack() as stack:
        source = stack.enter_context(_source(target.project))
        store = store_for(target, source, meter, may_write=not params.get("dry_run"))
        stack.callback(store.close)
        run = Run(
            target=target, source=source, store=store, meter=meter, report=report,
            left_out=LeftOut(target.project, target.kinds),
        )  # fmt: skip
        run.go(dry_run=bool(params.get("dry_run")), verify=bool(params.get("verify")))


def _source(project: Project) -> Tree:
    try:
        return Tree(project.root)
    except OSError as error:
        known = storage_error(error, project.root)
        raise known or TargetAway(
            _("The production folder %(folder)s is not there yet. Confirm the shots first, or mount the storage.")
            % {"folder": project.root}
        ) from error


def store_for(target: MirrorTarget, source: Tree, meter: Meter, *, may_write: bool) -> Store:
    """The target's storage, not yet touched. The place must be allowed now, whenever it was saved."""
    places.check_allowed(target)
    if target.kind == TargetKind.S3:
        from mirror.copying.s3_store import S3Store  # boto3 is large, and most workers never need it

        return S3Store(target, source, meter, mark=lambda: mark_place(target))
    place = Place(
        path=places.path_of(target),
        project=target.project.code,
        target=target.name,
        own=(target.project.root, settings.STORAGE_ROOT, settings.AIP_DATA),
        below=None if target.anywhere else places.roots(),
        marked=target.marked,
        mark=lambda: mark_place(target),
        may_write=may_write,
    )
    return PathStore(place, source, meter)


@ledger_kind("mirror.test", label=gettext_lazy("Test of a mirror"), queue="files")
def test_target(context: TaskContext) -> dict[str, Any]:
    """`params` as `targets.unsaved_target` takes them. Looks and lists; what it writes to a folder it takes away."""
    project = context.task.project
    assert project is not None  # submitted with one
    target = unsaved_target(project=project, params=context.params)
    meter = Meter(context)
    with ExitStack() as stack:
        source = stack.enter_context(_source(project))
        store = store_for(target, source, meter, may_write=False)
        stack.callback(store.close)
        store.prepare(write=False)
        if isinstance(store, PathStore):
            store.try_to_write()
        found = 0
        for _file in store.listing():
            found += 1
            if found >= 1000:
                break
    return {"found": found, "place": target.location}
