"""What a step's SELECT reads, by DuckDB's own parse: tables, with our views expanded and CTEs left out.

What would be another answer tomorrow, or with other tables loaded, is refused: an answer is remembered for as long as those
tables stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from tshdb.errors import InvalidInput
from tshdb.near import did_you_mean
from tshdb.sandbox import EXPRESSION, require_one_select
from tshdb.sql_names import REFERENCE
from tshdb.views import VIEWS

# of DuckDB's functions those that are not of their arguments alone (`stability` of duckdb_functions), macros upon them, and
# one that draws a sample
CHANGING = frozenset(
    "ago current_catalog current_connection_id current_database current_date current_localtime current_localtimestamp "
    "current_query current_query_id current_role current_schema current_schemas current_setting current_time "
    "current_timestamp current_transaction_id current_user currval error gen_random_uuid get_block_size "
    "get_current_time get_current_timestamp getvariable in_search_path inet_client_addr inet_client_port "
    "inet_server_addr inet_server_port localtime localtimestamp nextval now pg_conf_load_time pg_my_temp_schema "
    "pg_postmaster_start_time pg_sleep random reservoir_quantile session_user setseed setval sleep_ms stats today "
    "transaction_timestamp "
    "txid_current user uuid uuidv4 uuidv7 vector_type version write_log".split()
)
WORDS = frozenset(
    "current_catalog current_date current_role current_schema current_time current_timestamp current_user localtime "
    "localtimestamp session_user user".split()
)  # are called without parentheses
TABLE_FUNCTIONS = frozenset(("range", "generate_series", "unnest", "repeat", "json_each", "json_tree"))


class Reads(NamedTuple):
    """tables: of the database; views: that must be made; wants_expression: whether the values of profiles are read."""

    tables: frozenset[str]
    views: frozenset[str]
    wants_expression: bool


def reads_of(connection: Any, sql: str, known: Collection[str], where: str = "sql") -> Reads:
    """What one SELECT reads. known: the database's tables.

    Raises InvalidInput for other than one SELECT, a table that there is not, and what no rows of the study decide.
    """
    require_one_select(connection, sql, where)
    parsed = json.loads(connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()[0])
    if parsed.get("error"):
        message = str(parsed.get("error_message", "it cannot be read"))
        raise InvalidInput(message, where=where, repair="Write a plain SELECT")
    named: set[str] = set()
    for name, is_ours in _named(parsed["statements"], frozenset(), where):
        if not is_ours or (name not in known and name not in VIEWS and name != EXPRESSION):
            meant = did_you_mean(name, [*known, *VIEWS, EXPRESSION], REFERENCE)
            raise InvalidInput(f"Table with name {name} does not exist", where=where, repair=meant)
        named.add(name)
    views = frozenset(named & VIEWS.keys())
    tables = {table for view in views for table in VIEWS[view].tables} | (named & set(known))
    wants_expression = EXPRESSION in named
    if wants_expression:
        tables.add("expression_profiles")
    return Reads(frozenset(tables), views, wants_expression)


def _named(node: Any, hidden: frozenset[str], where: str) -> Iterator[tuple[str, bool]]:
    """The tables that a parsed query names, each with whether it is of the main schema. hidden: names of CTEs in sight."""
    if isinstance(node, list):
        for child in node:
            yield from _named(child, hidden, where)
        return
    if not isinstance(node, dict):
        return
    _refuse_changing(node, where)
    ctes = node.get("cte_map")
    if isinstance(ctes, dict):
        for cte in ctes.get("map") or ():
            query, name = cte["value"], str(cte["key"]).lower()
            is_recursive = "RECURSIVE" in str(query.get("query_node", query.get("query", {})))[:2000]
            yield from _named(query, hidden | {name} if is_recursive else hidden, where)
            hidden = hidden | {name}
    if node.get("type") == "BASE_TABLE":
        name, schema = str(node.get("table_name", "")).lower(), str(node.get("schema_name") or "")
        is_ours = schema.lower() in ("", "main") and str(node.get("catalog_name") or "").lower() in ("", "memory")
        if schema or name not in hidden:
            yield (name if is_ours else f"{schema}.{name}"), is_ours
    for key, child in node.items():
        if key != "cte_map":
            yield from _named(child, hidden, where)


def _refuse_changing(node: dict[str, Any], where: str) -> None:
    function = node.get("function_name")
    name = str(function).lower() if function else ""
    if not name and node.get("class") == "COLUMN_REF" and len(node.get("column_names") or ()) == 1:
        word = str(node["column_names"][0]).lower()
        name = word if word in WORDS else ""
    since_today = name == "age" and len(node.get("arguments") or node.get("children") or ()) == 1
    if name in CHANGING or since_today:
        raise InvalidInput(
            f"{name} gives another answer at another time", where=where, repair="Write the value itself, such as a date"
        )
    if node.get("sample"):
        raise InvalidInput("a sample is another one each time", where=where, repair="Say which rows are meant")
    if node.get("type") == "TABLE_FUNCTION":
        called = str((node.get("function") or {}).get("function_name", "")).lower()
        if called not in TABLE_FUNCTIONS:
            raise InvalidInput(
                f"{called}() is no table of the study", where=where, repair="Name tables by themselves: tshdb schema"
            )
