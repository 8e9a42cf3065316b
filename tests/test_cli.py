"""The command line: fast help, one error boundary, the documented exit codes."""

import errno
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from release_gate import cli as cli_module
from release_gate.cli import cli, main
from release_gate.commands import TABLE
from release_gate.commands.emit import worst
from release_gate.commands.options import option
from release_gate.findings import BadInput, CannotJudge

MAY_BE_IMPORTED = {"click", "release_gate", "colorama"}


def test_help_lists_every_command_and_imports_nothing_else() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "from release_gate.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(new - set(sys.stdlib_module_names), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name, entry in TABLE.items():
        assert name in done.stdout
        assert entry.help.split()[0] in done.stdout
    imported = {name for name in eval(done.stderr.splitlines()[-1]) if not name.startswith("_")}
    assert imported <= MAY_BE_IMPORTED


@pytest.mark.parametrize("name", TABLE)
def test_every_command_has_help_and_every_option_too(name: str) -> None:
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command is not None
    assert command.get_short_help_str(200).rstrip(".") in TABLE[name].help or command.help
    queue = [command]
    while queue:
        one = queue.pop()
        if isinstance(one, click.Group):
            queue.extend(one.commands.values())
        for parameter in one.params:
            assert not isinstance(parameter, click.Option) or parameter.help, f"{one.name} {parameter.name}"


def run(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_misspelt_command_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["chek"]) == 2
    assert "Did you mean 'check'?" in capsys.readouterr().err
    assert run(["zzz"]) == 2
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("release-gate ")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BadInput.because("config-missing", "m"), 2, "config-missing"),
        (CannotJudge.because("disk-full", "m"), 4, "disk-full"),
        (OSError(errno.ENOSPC, "no space", "/x"), 4, "disk-full"),
        (PermissionError(errno.EACCES, "denied", "/x"), 4, "write-refused"),
        (ZeroDivisionError("z"), 4, "internal-error"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (cli_module.Ended(), 143, "interrupted"),
    ],
)
def test_every_error_becomes_a_finding_and_an_exit_code(
    error: BaseException, status: int, code: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli_module.cli, "main", fail)
    assert run([]) == status
    shown = capsys.readouterr().err
    assert f"[{code}]" in shown
    assert "remedy: " in shown
    assert "Traceback" not in shown
    assert run(["--debug"]) == status
    # What is not one of our own refusals shows where it came from, but only when asked.
    assert ("Traceback" in capsys.readouterr().err) == isinstance(error, ArithmeticError | OSError)


def test_the_worst_exit_code_wins() -> None:
    assert worst([0, 1, 2]) == 2
    assert worst([0, 3, 4]) == 4
    assert worst([0, 0]) == 0
    assert worst([]) == 4


@click.command()
@option("--slice", "slices", multiple=True, help="h")
@option("--working-directory", help="h")
@option("--flag", is_flag=True, help="h")
def sample(slices: tuple[str, ...], working_directory: str | None, flag: bool) -> None:
    """Echo."""
    click.echo(repr((slices, working_directory, flag)))


@pytest.mark.parametrize(
    ("environment", "result"),
    [
        ({"INPUT_SLICE": "a b\n\n c ", "INPUT_WORKING-DIRECTORY": "x"}, (("a b", "c"), "x", False)),
        ({"INPUT_WORKING_DIRECTORY": "x", "INPUT_FLAG": "true"}, ((), "x", True)),
        ({"INPUT_WORKING_DIRECTORY": "", "INPUT_SLICE": "", "INPUT_FLAG": ""}, ((), None, False)),
        ({"INPUT_FLAG": "false"}, ((), None, False)),
    ],
)
def test_options_read_the_inputs_of_an_action(environment: dict[str, str], result: object) -> None:
    done = CliRunner().invoke(sample, [], env=environment)
    assert done.exit_code == 0, done.output
    assert done.output.strip() == repr(result)


def test_config_check_says_what_it_relies_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.test_config import SMALLEST

    file = tmp_path / "release-gate.yml"
    file.write_text(SMALLEST)
    for name in ("contracts/flights.yml", "data/flights.parquet", "data/evaluation.parquet", "smoke.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "smoke.yml").write_text("version: 1\nchecks: [{name: health, get: /health}]\n")
    assert run(["config", "check", "--config", str(file)]) == 0
    assert "right; 1 model: flight-delay" in capsys.readouterr().out
    file.write_text(SMALLEST + "riks: 1\n")
    assert run(["config", "check", "--config", str(file)]) == 2
    assert "did you mean 'risk'?" in capsys.readouterr().err
    assert run(["config", "schema"]) == 0
    assert '"release-gate.yml"' in capsys.readouterr().out


@pytest.mark.parametrize(("end", "status"), [(KeyboardInterrupt, 130), (cli_module.Ended, 143)])
def test_an_interruption_names_the_gate_that_was_running(
    end: type[BaseException],
    status: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from release_gate.commands import schema_check
    from tests.test_config import SMALLEST

    def stop(*_: object, **__: object) -> None:
        raise end

    file = tmp_path / "release-gate.yml"
    file.write_text(SMALLEST)
    monkeypatch.setattr(schema_check, "_all", stop)
    for command in ("schema-check", "check"):
        assert run([command, "--config", str(file)]) == status
        assert "before it was done, during schema-check of flight-delay" in capsys.readouterr().err
