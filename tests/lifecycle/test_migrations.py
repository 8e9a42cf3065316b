"""Data migrations as their tools write them: which can be taken back, which lose data, and where it stands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release_gate.lifecycle.migration_files import Migration, candidate, partner, way
from release_gate.lifecycle.migrations import judged
from release_gate.lifecycle.sql_migrations import losses, silenced

ALEMBIC = '''\
"""add delay minutes

Revision ID: 1a2b3c
Revises: 0f9e8d
"""
from alembic import op
import sqlalchemy as sa

revision = "1a2b3c"
down_revision = "0f9e8d"


def upgrade() -> None:
    op.add_column("flights", sa.Column("delay_minutes", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("flights", "delay_minutes")
'''
DJANGO = """\
from django.db import migrations, models

def fill(apps, schema_editor):
    apps.get_model("flights", "Flight").objects.update(delay=0)

class Migration(migrations.Migration):
    dependencies = [("flights", "0001_initial")]
    operations = [
        migrations.AddField("flight", "delay", models.IntegerField(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL("CREATE INDEX a ON flights (delay)", reverse_sql="DROP INDEX a"),
    ]
"""
Told = list[tuple[str, int, str]]


def read(name: str, text: str, **others: str | None) -> Migration | None:
    texts = {name: text, **{other.replace("__", "/"): content for other, content in others.items()}}
    found = judged([name], texts)
    return found[0] if found else None


def told(migration: Migration | None) -> Told:
    assert migration is not None
    return [(one.kind, one.line, one.because) for one in migration.problems]


def python(text: str, name: str = "db/versions/1a2b3c_delay.py") -> Told:
    return told(read(name, text))


def test_what_can_be_taken_back_has_no_problem() -> None:
    for name, text, tool in (
        ("db/versions/1a2b3c_delay.py", ALEMBIC, "Alembic"),
        ("flights/migrations/0002_delay.py", DJANGO, "Django"),
    ):
        found = read(name, text)
        assert found is not None
        assert (found.tool, found.reverses, found.problems) == (tool, True, ())


BODY = '    op.drop_column("flights", "delay_minutes")\n'
DOWN = f"def downgrade() -> None:\n{BODY}"


@pytest.mark.parametrize(
    ("change", "line", "because"),
    [
        ((DOWN, ""), 13, "it has no function `downgrade`"),
        ((BODY, "    pass\n"), 17, "does nothing"),
        ((BODY, '    """Nothing."""\n'), 17, "does nothing"),
        ((BODY, "    ...\n"), 17, "does nothing"),
        ((BODY, '    print("not supported")\n'), 17, "does nothing"),
        ((BODY, f"    return\n{BODY}"), 17, "does nothing"),
        ((BODY, "    raise NotImplementedError\n"), 18, "raises an error"),
        ((BODY, '    op.get_bind()\n    raise RuntimeError("no way back")\n'), 19, "raises an error"),
        ((DOWN, "from other import downgrade\n"), 13, "it has no function `downgrade`"),
    ],
)
def test_alembic_without_a_way_back(change: tuple[str, str], line: int, because: str) -> None:
    text = ALEMBIC.replace(*change)
    assert text != ALEMBIC
    ((kind, at, why),) = python(text)
    assert (kind, at) == ("irreversible", line)
    assert because in why


def test_alembic_that_changes_nothing_needs_no_way_back() -> None:
    merge = 'revision = "m"\ndown_revision = ("a", "b")\ndef upgrade():\n    pass\ndef downgrade():\n    pass\n'
    assert python(merge) == []
    assert python('revision: str = "m"\ndown_revision: str | None = None\ndef upgrade():\n    pass\n') == []


@pytest.mark.parametrize(
    ("body", "because"),
    [
        ('    op.drop_table("old")\n', "drop_table('old')"),
        ('    op.drop_column("flights", "a")\n', "drop_column('flights', 'a')"),
        ('    with op.batch_alter_table("f") as batch:\n        batch.drop_column("a")\n', "drop_column('a')"),
        ('    op.execute("DELETE FROM flights WHERE year < 2000")\n', "DELETE FROM"),
        ('    op.execute(sa.text("ALTER TABLE f DROP COLUMN a"))\n', "DROP COLUMN"),
        ("    _clean()\n", "drop_table('x')"),
    ],
)
def test_alembic_that_loses_data_can_be_taken_back_without_it(body: str, because: str) -> None:
    helper = 'def _clean():\n    op.drop_table("x")\n\n\n' if "_clean" in body else ""
    add = '    op.add_column("flights", sa.Column("delay_minutes", sa.Integer(), nullable=True))\n'
    text = ALEMBIC.replace("def upgrade", f"{helper}def upgrade").replace(add, body)
    found = read("db/versions/a.py", text)
    assert found is not None
    assert found.reverses
    ((kind, line, why),) = told(found)
    assert kind == "loses"
    assert because in why
    assert because.partition("(")[0].split()[0] in text.split("\n")[line - 1]


def test_dropping_in_the_way_back_loses_nothing_that_was_there_before() -> None:
    assert python(ALEMBIC) == []


def test_alembic_with_several_databases_is_read_for_each() -> None:
    text = (
        'revision = "a"\ndown_revision = None\n'
        'def upgrade(engine_name):\n    globals()["upgrade_%s" % engine_name]()\n'
        'def downgrade(engine_name):\n    globals()["downgrade_%s" % engine_name]()\n'
        'def upgrade_one():\n    op.add_column("a", "b")\n'
        'def downgrade_one():\n    op.drop_column("a", "b")\n'
        'def upgrade_two():\n    op.add_column("a", "b")\n'
        "def downgrade_two():\n    pass\n"
    )
    ((kind, line, why),) = python(text)
    assert (kind, line) == ("irreversible", 13)
    assert "downgrade_two" in why


@pytest.mark.parametrize(
    ("operation", "kind", "because"),
    [
        ("migrations.RunPython(fill)", "irreversible", "RunPython without reverse_code"),
        ("migrations.RunPython(fill, None)", "irreversible", "RunPython without reverse_code"),
        ("migrations.RunPython(code=fill, reverse_code=None)", "irreversible", "without reverse_code"),
        ("migrations.RunPython(fill, atomic=False)", "irreversible", "without reverse_code"),
        ("migrations.RunPython(**options)", "irreversible", "without reverse_code"),
        ('migrations.RunSQL("UPDATE f SET a = 1")', "irreversible", "RunSQL without reverse_sql"),
        ('migrations.RemoveField("flight", "delay")', "loses", "RemoveField removes a field: flight.delay"),
        ('migrations.RemoveField(model_name="f", name="d")', "loses", "f.d"),
        ('migrations.DeleteModel(name="Flight")', "loses", "DeleteModel deletes a model: Flight"),
        ('migrations.RunSQL(["DROP TABLE f"], migrations.RunSQL.noop)', "loses", "DROP TABLE f"),
        (
            "migrations.SeparateDatabaseAndState(database_operations=[migrations.RunPython(fill)])",
            "irreversible",
            "RunPython",
        ),
        ("RP(fill)", "irreversible", "RunPython without reverse_code"),
        ("later", "irreversible", "RunPython"),
        ("*more", "irreversible", "RunSQL"),
        ("unknown", "unreadable", "not written out"),
        ("*made()", "unreadable", "not written out"),
        ("*[*made]", "unreadable", "not written out"),
        ("[migrations.RunPython(fill)]", "unreadable", "not written out"),
    ],
)
def test_each_django_operation(operation: str, kind: str, because: str) -> None:
    extra = (
        "from django.db.migrations import RunPython as RP\nlater = RP(lambda a, s: None)\n"
        'more = [migrations.RunSQL("UPDATE a")]\n'
    )
    text = DJANGO.replace("def fill", f"{extra}def fill").replace(
        "migrations.RunPython(fill, migrations.RunPython.noop)", operation
    )
    ((found, _, why),) = told(read("a/migrations/0002.py", text))
    assert found == kind
    assert because in why


@pytest.mark.parametrize(
    "operation",
    [
        "migrations.RunPython(fill, fill)",
        "migrations.RunPython(fill, reverse_code=migrations.RunPython.noop)",
        'migrations.RunSQL("UPDATE f", "UPDATE f")',
        'migrations.RunSQL("UPDATE f", reverse_sql=migrations.RunSQL.noop)',
        'migrations.SeparateDatabaseAndState([], state_operations=[migrations.DeleteModel("Flight")])',
        'migrations.AlterField("flight", "a", models.TextField())',
    ],
)
def test_django_operations_that_reverse(operation: str) -> None:
    text = DJANGO.replace("migrations.RunPython(fill, migrations.RunPython.noop)", operation)
    assert python(text, "a/migrations/0002.py") == []


def test_django_s_list_may_be_joined_and_added_to_and_lead_to_itself() -> None:
    text = DJANGO.replace("    operations = [", "    operations = a + b\n    operations += [")
    text = text.replace("class Migration", "a = [*a, migrations.RunPython(fill)]\nb = a\nclass Migration")
    assert [kind for kind, *_ in python(text, "a/migrations/0002.py")] == ["irreversible"]
    for made in ("make()", "make() + []", "[] + make", "[one for one in a]"):
        text = f"{DJANGO[: DJANGO.index('    operations')]}    operations = {made}\n"
        assert [kind for kind, *_ in python(text, "a/migrations/0002.py")] == ["unreadable"], made
    deep = DJANGO.replace("operations = [", f"operations = {'[*' * 150}a{']' * 150} + [")
    assert "unreadable" in [kind for kind, *_ in python(deep, "a/migrations/0002.py")]


def test_python_that_is_no_migration_is_left_alone_and_what_can_not_be_read_is_not() -> None:
    assert read("a/migrations/words.py", "x = 1") is None
    assert read("a/migrations/admin.py", "from django import x\nMigration = 1\n") is None
    assert read("a/versions/b.py", "# down_revision is told elsewhere") is None
    for text in ("down_revision = (", "down_revision = '\0'", "down_revision = " + "(" * 5000 + ")" * 5000):
        ((kind, _, why),) = python(text)
        assert kind == "unreadable"
        assert "not readable as Python" in why


UP = "db/migrations/0002_delay.up.sql"


@pytest.mark.parametrize(
    ("up", "down", "expected"),
    [
        ("ALTER TABLE f ADD a int;", "ALTER TABLE f DROP a;", []),
        ("-- nothing\n", None, []),
        ("BEGIN;\nCOMMIT;\n", "", []),
        ("\n\nCREATE TABLE f (a int);", None, [("irreversible", 3, "there is no db/migrations/0002_delay.down.sql")]),
        ("CREATE TABLE f (a int);", "-- no way back\n;", [("irreversible", 1, "holds no statement")]),
        ("CREATE TABLE f (a int);", "SELECT 1;", [("irreversible", 1, "holds no statement")]),
        ("CREATE TABLE f (a int);", "DO $$ BEGIN RAISE EXCEPTION 'no'; END $$;", [("irreversible", 1, "raises")]),
        ("SELECT 2;\nDROP TABLE f;", "CREATE TABLE f (a int);", [("loses", 2, "DROP TABLE f")]),
        ("ALTER TABLE f\n  DROP COLUMN a;", "ALTER TABLE f ADD a int;", [("loses", 2, "DROP COLUMN")]),
        ("alter table f drop a, drop b;", "SELECT 2;", [("loses", 1, "drop a")]),
        ('ALTER TABLE f DROP "a";', "SELECT 2;", [("loses", 1, "DROP")]),
        ("DELETE FROM f;\nTRUNCATE g;", "SELECT 2;", [("loses", 1, "DELETE FROM f"), ("loses", 2, "TRUNCATE g")]),
        ("DO $$ BEGIN DROP TABLE f; END $$;", "SELECT 2;", [("loses", 1, "DROP TABLE f")]),
        ("ALTER TABLE f DROP CONSTRAINT a; DROP INDEX b; ALTER TABLE f ALTER a DROP NOT NULL;", "SELECT 2;", []),
        ("INSERT INTO f VALUES ('DROP TABLE f'); /* DROP TABLE f */ -- DROP TABLE f", "SELECT 2;", []),
    ],
)
def test_sql_with_a_file_for_each_way(up: str, down: str | None, expected: Told) -> None:
    others = {} if down is None else {UP.replace(".up.", ".down.").replace("/", "__"): down}
    found = read(UP, up, **others)
    assert [(kind, line) for kind, line, _ in told(found)] == [(kind, line) for kind, line, _ in expected]
    for (*_, why), (*_, wanted) in zip(told(found), expected, strict=True):
        assert wanted in why


def test_dbmate_goose_and_sql_migrate_hold_both_ways_in_one_file() -> None:
    for up, down in (("migrate:up", "migrate:down"), ("+goose Up", "+goose Down"), ("+migrate Up", "+migrate Down")):
        text = f"-- {up}\nCREATE TABLE f (a int);\nDROP TABLE g;\n\n-- {down}\nDROP TABLE f;\n"
        assert [(kind, line) for kind, line, _ in told(read("db/migrations/a.sql", text))] == [("loses", 3)]
        empty = text.partition("DROP TABLE f;")[0]
        assert ("irreversible", 2) in [(kind, line) for kind, line, _ in told(read("db/migrations/a.sql", empty))]
        without = text.partition(f"-- {down}")[0]
        assert "no section" in told(read("db/migrations/a.sql", without))[0][2]


def test_flyway_s_undo_and_files_without_any_way_back() -> None:
    name = "sql/migration/V2__delay.sql"
    assert told(read(name, "CREATE TABLE a (b int);"))[0][2] == "there is no sql/migration/U2__delay.sql"
    found = read(name, "CREATE TABLE a (b int);", **{"sql__migration__U2____delay.sql": "x"})
    assert found is not None
    back = {name: "CREATE TABLE a (b int);", "sql/migration/U2__delay.sql": "DROP TABLE a;"}
    (flyway,) = judged([name], back)
    assert (flyway.tool, flyway.problems) == ("Flyway", ())
    assert judged(["sql/migration/U2__delay.sql"], back) == []
    for plain in ("db/migrations/002_a.sql", "prisma/migrations/2026_a/migration.sql"):
        assert "neither a file nor a section" in told(read(plain, "CREATE TABLE a (b int);"))[0][2]
    assert read("db/migrations/views.sql", "CREATE VIEW a") is None
    assert [one.kind for one in judged(["views.sql"], {"views.sql": "CREATE VIEW a"}, {"views.sql"})[0].problems] == [
        "irreversible"
    ]


def test_what_is_no_text_or_of_no_tool_can_not_be_known() -> None:
    (unread,) = judged(["a/versions/b.py"], {"a/versions/b.py": None})
    assert not unread.reverses
    (back,) = judged([UP], {UP: "CREATE TABLE a (b int);", UP.replace(".up.", ".down."): None})
    assert [one.kind for one in back.problems] == ["unreadable"]
    named = judged(["m.rb", "words.py"], {"m.rb": "x", "words.py": "x = 1"}, {"m.rb", "words.py"})
    assert [(one.file, one.problems[0].kind) for one in named] == [("m.rb", "unreadable"), ("words.py", "unreadable")]
    assert judged(["m.rb"], {"m.rb": "x"}) == []


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("db/versions/a.py", True),
        ("app/migrations/0001.py", True),
        ("app/Migrations/a.SQL", False),
        ("app/migrations/__init__.py", False),
        ("a.up.sql", True),
        ("a.down.sql", True),
        ("x/up.sql", True),
        ("V1__a.sql", True),
        ("queries/report.sql", False),
        ("app/models.py", False),
    ],
)
def test_candidates_by_their_path(name: str, may: bool) -> None:
    assert candidate(name) == may


def test_names_of_the_way_back() -> None:
    assert partner("a/1_x.up.sql") == "a/1_x.down.sql"
    assert partner("a/up.sql") == "a/down.sql"
    assert partner("V1.2__x.sql") == "U1.2__x.sql"
    assert partner("a/backup.sql") is None
    assert way("a/down.sql") == way("U1__x.sql") == "down"
    assert way("a/countdown.sql") is None


@given(st.text(alphabet="-*/'$;\n aDROPTABLE", max_size=60))
def test_silencing_keeps_every_offset(text: str) -> None:
    silent = silenced(text)
    assert len(silent) == len(text)
    assert [at for at, one in enumerate(silent) if one == "\n"] == [at for at, one in enumerate(text) if one == "\n"]
    for offset, words in losses(silent):
        assert silent[offset:].split()[0] == words.split()[0]


@given(st.text(max_size=300), st.sampled_from(["a/versions/b.py", UP, "a/migrations/1_b.sql", "V1__a.sql"]))
@settings(max_examples=200)
def test_no_text_breaks_the_readers(text: str, name: str) -> None:
    for content in (text, f"down_revision = 1\n{text}", f"-- migrate:up\n{text}"):
        for one in judged([name], {name: content}):
            assert one.file == name


def test_a_hostile_text_costs_little_time() -> None:
    for text in ("ALTER TABLE " * 60_000, "/*" * 300_000, "'" * 300_001, "DROP " * 100_000, "BEGIN " * 100_000 + "x"):
        judged([UP], {UP: text, UP.replace(".up.", ".down."): text})
    shared = "x = [" + "*x, " * 5_000 + "]\n"
    text = DJANGO.replace("def fill", f"{shared}def fill").replace("operations = [", "operations = [*x, *x, ")
    judged(["a/migrations/0002.py"], {"a/migrations/0002.py": text})
