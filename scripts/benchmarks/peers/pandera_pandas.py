"""The checks with pandera on pandas: `python pandera_pandas.py CHECKS DATA`."""

import json
import sys
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

MAKERS = {
    "pattern": pa.Check.str_matches,
    "one of": pa.Check.isin,
    "at least": pa.Check.ge,
    "at most": pa.Check.le,
}
columns: dict[str, dict] = {}
for name, kind_of_column, kind, value in json.loads(Path(sys.argv[1]).read_text()):
    column = columns.setdefault(name, {"nullable": True, "checks": []})
    if kind == "not null":
        column["nullable"] = False
    elif kind == "unique":
        column["unique"] = True
    else:
        limit = pd.Timestamp(value) if kind_of_column == "timestamp" else value
        column["checks"].append(MAKERS[kind](limit, error=kind))
schema = pa.DataFrameSchema({name: pa.Column(**options) for name, options in columns.items()})
failed = []
try:
    schema.validate(pd.read_parquet(sys.argv[2]), lazy=True)
except pa.errors.SchemaErrors as error:
    kinds = {"not_nullable": "not null", "field_uniqueness": "unique"}
    cases = error.failure_cases[["column", "check"]].drop_duplicates()
    failed = [[column, kinds.get(check, check)] for column, check in cases.itertuples(index=False)]
json.dump(failed, sys.stdout)
