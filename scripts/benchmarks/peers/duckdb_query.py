"""The checks as SQL by hand: `python duckdb_query.py together|apart CONDITIONS DATA [MEMORY]`.

`together` counts all of them in one query, `apart` each in a query of its own.
"""

import json
import sys
from pathlib import Path

import duckdb

way, conditions, data, *memory = sys.argv[1:]
counted = json.loads(Path(conditions).read_text())
database = duckdb.connect(config={"memory_limit": memory[0]} if memory else {})
database.execute("set enable_progress_bar = false")  # it would stand in the answer
source = f"from read_parquet('{data}')"
if way == "together":
    row = database.execute(f"select {', '.join(count for _, _, count in counted)} {source}").fetchone()
else:
    row = [database.execute(f"select {count} {source}").fetchone()[0] for _, _, count in counted]
json.dump([[name, kind] for (name, kind, _), failing in zip(counted, row, strict=True) if failing], sys.stdout)
