"""The tests of the engine can fail: each mutant breaks the engine on purpose, and the tests named with it must see it."""

from __future__ import annotations

import pytest

from tests.support.mutants import ALL, Mutant, assert_caught, misfit

MUTANTS = (
    Mutant(
        "what a cohort gave is remembered for ever",
        "tshdb/cohorts/remembered.py",
        "if a.versions and a.versions.items() <= now.items()",
        "if a.versions",
        "study/test_cohort_sql.py::test_who_is_no_patient_any_more_is_a_stranger[sqlite]",
    ),
    Mutant(
        "an answer is kept that is of a database before a withdrawal",
        "tshdb/cohorts/remembered.py",
        "if not rows.are_committed(answer.versions):",
        "if not answer.versions:",
        "study/test_cohort_sql.py::test_who_was_slower_than_a_withdrawal_keeps_nothing[sqlite]",
    ),
    Mutant(
        "inputs that moved go unseen",
        "tshdb/engine/standing.py",
        "AND i.fingerprint IS DISTINCT FROM e.seen_fingerprint",
        "AND i.fingerprint IS NULL AND e.seen_fingerprint IS NOT NULL",
        "engine/test_scenarios.py -k test_2_",
    ),
    Mutant(
        "a fit follows corrected data silently",
        "tshdb/engine/roots.py",
        "return any(cause.kind not in OF_DATA for cause in causes)",
        "return True",
        "engine/test_scenarios.py -k test_2_one",
    ),
    Mutant(
        "no early cut-off",
        "tshdb/engine/compute.py",
        "return rows_fingerprint(columns, ([row[c] for c in columns] for row in rows))",
        "return rows_fingerprint(columns, ([row[c] for c in columns] for row in rows))[:16] + f'{time.time_ns():016x}'",
        "engine/test_scenarios.py -k test_3",
    ),
    Mutant(
        "the text in which code was found is not compared",
        "tshdb/engine/units.py",
        "if _text_digest(codes, functions, k.modules, counted) == k.text_digest",
        "if k.text_digest",
        "engine/test_scenarios.py -k test_5_a_default",
    ),
    Mutant(
        "parameters do not count",
        "tshdb/engine/units.py",
        "if stored.params != now.params:",
        "if False:",
        "engine/test_scenarios.py -k test_5_a_parameter",
    ),
    Mutant(
        "the seed does not count",
        "tshdb/engine/units.py",
        "if stored.seed != now.seed:",
        "if False:",
        "engine/test_spec.py -k changed_seed",
    ),
    Mutant(
        "the payload of a retired unit stays",
        "tshdb/engine/units.py",
        "if payload is not None:",
        "if payload is not None and unit_ids is None:",
        "engine/test_scenarios.py -k test_7",
    ),
    Mutant(
        "members that join or leave go unseen",
        "tshdb/engine/edges.py",
        "for packed in stored ^ wanted]",
        "for packed in ()]",
        "engine/test_scenarios.py -k arrives",
        is_long=True,
    ),
    Mutant(
        "a newer model always keeps its consumers",
        "tshdb/engine/edges.py",
        "if old is not None and new.fingerprint == self._seen_models.get((unit_id, role)):",
        "if old is not None:",
        "engine/test_scenarios.py -k other_content",
        is_long=True,
    ),
    Mutant(
        "the commit does not check its inputs again",
        "tshdb/engine/batches.py",
        "all(now.get(u) == seen for _, u, seen in batch.edges[o.key])",
        "True",
        "engine/test_engine.py -k while_computing",
    ),
    Mutant(
        "the commit does not check its lease",
        "tshdb/engine/batches.py",
        "if o.key in leased and",
        "if",
        "engine/test_engine.py -k late_owner",
    ),
    Mutant(
        "leases of others are ignored",
        "tshdb/engine/leases.py",
        "free = [key for key in keys if key not in held or self._is_free(analysis, held[key])]",
        "free = list(keys)",
        "engine/test_crash.py -k two_rebuilds",
        is_long=True,
    ),
    Mutant(
        "payload and unit are committed apart",
        "tshdb/engine/batches.py",
        'fp("rebuild.payload_written")',
        'connection.exec_driver_sql("COMMIT"); connection.exec_driver_sql("BEGIN IMMEDIATE"); fp("rebuild.payload_written")',
        "engine/test_crash.py -k every_failpoint",
        is_long=True,
    ),
    Mutant(
        "rows come before the file that they name",
        "tshdb/objects.py",
        "os.replace(temporary, final)",
        "final.write_bytes(b''); fp('half'); os.replace(temporary, final)",
        "engine/test_crash.py -k every_failpoint",
        is_long=True,
    ),
    Mutant(
        "fingerprints depend on the order of rows",
        "tshdb/canonical.py",
        'encoded = sorted(b"".join(map(encode, row)) for row in rows)',
        'encoded = [b"".join(map(encode, row)) for row in rows]',
        "unit/test_canonical.py",
    ),
    Mutant(
        "a key's rows go to its neighbour",
        "tshdb/engine/compute.py",
        "by_key[owner].append(",
        "by_key[keys[(keys.index(owner) + 1) % len(keys)]].append(",
        "engine/test_scenarios.py -k test_13",
        is_long=True,
    ),
    Mutant(
        "a changed marker table goes unseen",
        "tshdb/engine/edges.py",
        "if unit is not None and unit.fingerprint != table.fingerprint:",
        "if unit is None:",
        "engine/test_scenarios.py -k marker_table",
    ),
    Mutant(
        "a fit ignores code upstream",
        "tshdb/engine/planner.py",
        "elif key in followed:",
        "elif False:",
        "engine/test_scenarios.py -k upstream",
        is_long=True,
    ),
    Mutant(
        "a fit of what is due is never due",
        "tshdb/engine/planner.py",
        "return self.roots.brings_more_than_data(self.connection, before, pending)",
        "return False",
        "engine/test_truth.py -k began",
        is_long=True,
    ),
    Mutant(
        "what waits for what is due is certain",
        "tshdb/engine/planner.py",
        "may_pass = all(self._is_pending(plan, change) for change, _ in followed)",
        "may_pass = False",
        "engine/test_truth.py -k flagged",
        is_long=True,
    ),
    Mutant(
        "a plan does not see members who moved",
        "tshdb/engine/edges.py",
        "if name in ids and self.cohorts[name].has_moved:",
        "if name in ids and not self.cohorts[name].members:",
        "engine/test_truth.py -k live",
        is_long=True,
    ),
    Mutant(
        "a unit's own code and parameters are not said",
        "tshdb/engine/roots.py",
        "yield None, self.roots.of_spec(self.connection, spec_id, self.analysis)",
        "yield None, NOTHING",
        "engine/test_truth.py -k mended",
        is_long=True,
    ),
    Mutant(
        "old changes of an input are said again",
        "tshdb/engine/since.py",
        "return self._joined([step for step in steps if last is None or _is_later(step, last)])",
        "return self._joined(steps)",
        "engine/test_truth.py -k began",
        is_long=True,
    ),
    Mutant(
        "a group by another population is another patient's",
        "tshdb/engine/changes.py",
        "for n_shared in range(n_parts - 1, -1, -1):",
        "for n_shared in range(0):",
        "engine/test_truth.py -k population",
        is_long=True,
    ),
    Mutant(
        "the groups of what is blocked do not go",
        "tshdb/engine/rebuild.py",
        "note_gone(connection, plan.analysis, ids, self.report.run_id)",
        "pass",
        "engine/test_truth.py -k mended",
        is_long=True,
    ),
    Mutant(
        "a flip has the causes of all runs",
        "tshdb/attribution.py",
        "sets[unit_id, step.run_id].add(step.cause_set)",
        "[sets[pair].add(step.cause_set) for pair in sets if pair[0] == unit_id]",
        "engine/test_truth.py -k population",
        is_long=True,
    ),
    Mutant(
        "compiled code is trusted by the second and the size",
        "tshdb/loaded.py",
        "max(stat.st_ctime_ns, stat.st_mtime_ns) < written_ns",
        "written_ns > 0",
        "engine/test_loaded.py -k stale",
    ),
    Mutant(
        "what another process has loaded is not compared",
        "tshdb/engine/batches.py",
        "if o.loaded == self.loaded[analysis.name]",
        "if o.key",
        "engine/test_identity.py -k thrown_away",
    ),
    Mutant(
        "a library that only the engine uses is not compared",
        "tshdb/engine/identity.py",
        '"pandas", "pyarrow", ',
        '"pandas", ',
        "engine/test_identity.py -k are_compared",
    ),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_mutant_fits_the_program(mutant):
    """The long ones, too, which are tried in the soak alone: an entry of a line that is there no more tries nothing."""
    assert misfit(mutant) == ""


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if ALL or not m.is_long], ids=lambda m: m.name)
def test_the_mutant_is_caught(mutant, template, tmp_path):
    assert_caught(mutant, tmp_path, template)
