"""The claim as one call of a function of the database (PostgreSQL only): see docs/decisions/015-claim-in-the-database.md.

SQLite, where one worker host at most claims, goes on with the querysets of `renders.services.placing`.
"""

from typing import Any

from django.db import migrations

# The waiting jobs that may go to a worker. `renders.services.placing.ready_for` says the same.
READY = """
    j.state = 'queued' AND j.blocked_reason = '' AND NOT j.cancel_requested AND j.not_before <= moment
    AND j.vram_gb <= me.vram_gb AND j.workflow_id = ANY (able)
    AND NOT (j.project_id = ANY (projects)) AND NOT (j.capability = ANY (classes)) AND NOT (j.refused @> myself)"""

# The first job of one person. The order is the index's own (jobs_ready_of_user).
FIRST = "ORDER BY j.requested_by_id, j.priority DESC, j.created_at LIMIT 1"
LOCKED = "FOR UPDATE OF j SKIP LOCKED"

# The plans are made once for each connection, and the partial indexes, which hold only what waits, in their own order:
# left to itself PostgreSQL plans every call anew for its numbers, which takes longer than to answer.
SETTINGS = "SET plan_cache_mode TO force_generic_plan SET enable_bitmapscan TO off SET enable_seqscan TO off"

CREATE = f"""
CREATE OR REPLACE FUNCTION renders_claim(
    worker_key bigint, slots integer, lease interval, most_passed integer, longest_passed interval
) RETURNS TABLE (attempt uuid, job uuid, number integer) LANGUAGE plpgsql {SETTINGS} AS $claim$
#variable_conflict use_column
DECLARE
    me renders_worker%ROWTYPE;
    head record;
    found_job renders_renderjob%ROWTYPE;
    other renders_renderjob%ROWTYPE;
    moment timestamptz;
    able bigint[];
    projects bigint[];
    classes text[];
    myself jsonb := jsonb_build_array(worker_key);
    new_key uuid := gen_random_uuid();
    kept jsonb := '{{}}';
BEGIN
    SELECT * INTO me FROM renders_worker w WHERE w.id = worker_key FOR UPDATE;
    IF NOT FOUND OR me.state <> 'online' OR me.error <> '' OR slots <= (
        SELECT count(*) FROM renders_renderattempt a
        WHERE a.worker_id = worker_key AND a.state IN ('leased', 'running', 'publishing')
    ) THEN
        RETURN;
    END IF;
    moment := clock_timestamp();

    SELECT array_agg(f.id) INTO able FROM renders_workflow f
    WHERE me.backends ? f.backend
        AND NOT EXISTS (
            SELECT FROM renders_workerfit t WHERE t.worker_id = worker_key AND t.workflow_id = f.id AND NOT t.fits)
        AND NOT EXISTS (SELECT FROM renders_workerblock b WHERE b.worker_id = worker_key AND b.workflow_id = f.id)
        AND NOT EXISTS (SELECT FROM renders_pause p WHERE p.scope = 'workflow' AND p.key = f.id::text);
    IF able IS NULL THEN
        RETURN;
    END IF;
    SELECT coalesce(array_agg(p.key::bigint), '{{}}') INTO projects FROM renders_pause p
    WHERE p.scope = 'project' AND p.key ~ '^[0-9]{{1,18}}$';
    SELECT coalesce(array_agg(p.key), '{{}}') INTO classes FROM renders_pause p WHERE p.scope = 'capability';

    -- Whose turn it is: the highest priority, then who holds the fewest jobs, then who was served longest ago.
    FOR head IN
        SELECT first.person, first.priority FROM (
            SELECT p.id AS person, f.priority, f.created_at, h.held, s.started_at
            FROM projects_user p
            CROSS JOIN LATERAL (
                SELECT j.priority, j.created_at FROM renders_renderjob j
                WHERE j.requested_by_id = p.id AND {READY} {FIRST}
            ) f
            CROSS JOIN LATERAL (
                SELECT count(*) AS held FROM renders_renderjob j
                WHERE j.requested_by_id = p.id AND j.state IN ('leased', 'running', 'publishing')
            ) h
            LEFT JOIN LATERAL (
                SELECT j.started_at FROM renders_renderjob j
                WHERE j.requested_by_id = p.id AND j.started_at IS NOT NULL
                ORDER BY j.requested_by_id, j.started_at DESC LIMIT 1
            ) s ON true
            UNION ALL
            SELECT NULL, f.priority, f.created_at, h.held, s.started_at
            FROM (
                SELECT j.priority, j.created_at FROM renders_renderjob j
                WHERE j.requested_by_id IS NULL AND {READY} {FIRST}
            ) f
            CROSS JOIN LATERAL (
                SELECT count(*) AS held FROM renders_renderjob j
                WHERE j.requested_by_id IS NULL AND j.state IN ('leased', 'running', 'publishing')
            ) h
            LEFT JOIN LATERAL (
                SELECT j.started_at FROM renders_renderjob j
                WHERE j.requested_by_id IS NULL AND j.started_at IS NOT NULL
                ORDER BY j.requested_by_id, j.started_at DESC LIMIT 1
            ) s ON true
        ) first
        ORDER BY first.priority DESC, first.held, first.started_at NULLS FIRST, first.created_at
    LOOP
        -- The first of these that nobody else is about to take. Two statements, because the index knows the one from
        -- the other only when it is said outright.
        IF head.person IS NULL THEN
            SELECT * INTO found_job FROM renders_renderjob j
            WHERE j.requested_by_id IS NULL AND j.priority = head.priority AND {READY} {FIRST} {LOCKED};
        ELSE
            SELECT * INTO found_job FROM renders_renderjob j
            WHERE j.requested_by_id = head.person AND j.priority = head.priority AND {READY} {FIRST} {LOCKED};
        END IF;
        EXIT WHEN FOUND;
    END LOOP;
    IF found_job.id IS NULL THEN
        RETURN;
    END IF;
    IF renders_job_waits(found_job.id) THEN
        RETURN QUERY SELECT NULL::uuid, found_job.id, 0;  -- nothing is taken: whoever called holds it back first
        RETURN;
    END IF;

    -- A job of the same priority whose models are loaded goes before it, until it was passed over enough.
    IF me.loaded <> '' AND found_job.model_key <> me.loaded AND found_job.passed_over < most_passed
        AND (found_job.passed_since IS NULL OR found_job.passed_since >= moment - longest_passed)
    THEN
        SELECT * INTO other FROM renders_renderjob j
        WHERE j.model_key = me.loaded AND j.priority = found_job.priority AND {READY}
        ORDER BY j.model_key, j.priority DESC, j.created_at LIMIT 1 {LOCKED};
        IF FOUND AND NOT renders_job_waits(other.id) THEN
            UPDATE renders_renderjob SET passed_over = passed_over + 1, passed_since = coalesce(passed_since, moment)
            WHERE id = found_job.id;
            found_job := other;
        END IF;
    END IF;

    IF found_job.attempts_made > 0 THEN
        SELECT a.saved INTO kept FROM renders_renderattempt a WHERE a.job_id = found_job.id
        ORDER BY a.number DESC LIMIT 1;
        kept := coalesce(kept, '{{}}');
    END IF;
    UPDATE renders_renderjob SET
        state = 'leased', attempts_made = attempts_made + 1, started_at = coalesce(started_at, moment),
        passed_over = 0, passed_since = NULL, error = '', message = ''
    WHERE id = found_job.id;
    INSERT INTO renders_renderattempt
        (id, job_id, worker_id, number, state, lease_until, saved, log, error, cause, created_at)
    VALUES (
        new_key, found_job.id, worker_key, found_job.attempts_made + 1, 'leased', moment + lease, kept, '', '', '', moment
    );
    IF found_job.model_key <> '' AND found_job.model_key <> me.loaded THEN
        UPDATE renders_worker SET loaded = found_job.model_key WHERE id = worker_key;
    END IF;
    RETURN QUERY SELECT new_key, found_job.id, found_job.attempts_made + 1;
END
$claim$;
"""

# Whether a job still waits for another. `renders.services.waiting.unmet` and `approvals.newer_approved` say the same.
CREATE_WAITS = """
CREATE OR REPLACE FUNCTION renders_job_waits(job_key uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $waits$
BEGIN
    RETURN EXISTS (
        SELECT FROM renders_renderjob_after l
        JOIN renders_renderjob waiting ON waiting.id = l.from_renderjob_id
        JOIN renders_renderjob before ON before.id = l.to_renderjob_id
        LEFT JOIN renders_version v ON v.id = before.version_id
        WHERE l.from_renderjob_id = job_key AND NOT (
            before.state = 'succeeded' AND (
                waiting.waits_for = 'rendered' OR coalesce(v.status = 'approved', false) OR EXISTS (
                    SELECT FROM renders_version newer
                    WHERE (newer.shot_id = before.shot_id OR newer.character_id = before.character_id
                            OR newer.environment_id = before.environment_id)
                        AND newer.number > coalesce(v.number, 0) AND newer.kind = before.kind
                        AND newer.project_id = before.project_id
                        AND newer.state = 'published' AND newer.status = 'approved'
                )
            )
        )
    );
END
$waits$;
"""

DROP = """
DROP FUNCTION IF EXISTS renders_claim(bigint, integer, interval, integer, interval);
DROP FUNCTION IF EXISTS renders_job_waits(uuid);
"""


def create(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CREATE_WAITS, params=None)
        schema_editor.execute(CREATE, params=None)


def drop(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP, params=None)


class Migration(migrations.Migration):
    dependencies = [("renders", "0007_version_follows")]

    operations = [migrations.RunPython(create, drop)]
