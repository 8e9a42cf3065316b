"""The checks with Great Expectations on pandas: `python great_expectations_pandas.py CHECKS DATA`.

pandas is the engine that it reads a Parquet file with when no Spark is there. Least and most are one expectation, and
no failing values are collected: both are the faster way.
"""

import datetime as dt
import json
import os
import sys
from pathlib import Path

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # no question to the network is measured

import great_expectations as gx
import great_expectations.expectations as gxe

context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False}
suite = gx.ExpectationSuite(name="checks")
ranges: dict[str, dict] = {}
for name, kind_of_column, kind, value in json.loads(Path(sys.argv[1]).read_text()):
    if kind in ("at least", "at most"):
        limit = dt.datetime.fromisoformat(value) if kind_of_column == "timestamp" else value
        ranges.setdefault(name, {})["min_value" if kind == "at least" else "max_value"] = limit
        continue
    expectation = {
        "not null": lambda name, _: gxe.ExpectColumnValuesToNotBeNull(column=name),
        "unique": lambda name, _: gxe.ExpectColumnValuesToBeUnique(column=name),
        "pattern": lambda name, value: gxe.ExpectColumnValuesToMatchRegex(column=name, regex=value),
        "one of": lambda name, value: gxe.ExpectColumnValuesToBeInSet(column=name, value_set=value),
    }[kind](name, value)
    suite.add_expectation(expectation)
for name, limits in ranges.items():
    suite.add_expectation(gxe.ExpectColumnValuesToBeBetween(column=name, **limits))

batches = context.data_sources.add_pandas("files").add_parquet_asset("data", path=sys.argv[2])
definition = gx.ValidationDefinition(
    name="validation", data=batches.add_batch_definition("whole"), suite=context.suites.add(suite)
)
context.validation_definitions.add(definition)
said = {
    "expect_column_values_to_not_be_null": ["not null"],
    "expect_column_values_to_be_unique": ["unique"],
    "expect_column_values_to_match_regex": ["pattern"],
    "expect_column_values_to_be_in_set": ["one of"],
    "expect_column_values_to_be_between": ["at least", "at most"],
}
results = definition.run(result_format="BOOLEAN_ONLY").results
if raised := [result for result in results if result.exception_info.get("raised_exception") is not False]:
    raise SystemExit(f"great_expectations: {raised[0].exception_info}")
json.dump(
    [
        [result.expectation_config.kwargs["column"], kind]
        for result in results
        if not result.success
        for kind in said[result.expectation_config.type]
    ],
    sys.stdout,
)
