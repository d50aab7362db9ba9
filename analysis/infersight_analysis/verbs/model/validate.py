"""`infersight model validate`: whether inputs are as they should be."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from infersight_analysis import options
from infersight_analysis.errors import AnalysisError
from infersight_analysis.models.inputs import read_inputs
from infersight_analysis.options import Window
from infersight_analysis.quality.reading import Chosen
from infersight_analysis.report.html.validation import validation_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.report.validation import print_validation
from infersight_analysis.session import opened
from infersight_analysis.validation.given import validate_given
from infersight_analysis.validation.rules import InputRules
from infersight_analysis.validation.stored import validate_stored

__all__ = ["InputRules", "validate_command", "validate_given", "validate_stored"]

NEED_MORE_DATA: Final = 3


@click.command(name="validate")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path())
@click.option("--column", metavar="NAME", help="Only this column of records is the input.")
@click.option("--type", "types", metavar="NAME", multiple=True, help="Class, such as str or numpy.ndarray; repeatable.")
@click.option("--dtype", metavar="NAME", help="Type of an array's elements, such as float32.")
@click.option("--shape", metavar="SIZES", help="Of an array, as in any,3,224,224.")
@click.option("--range", "ends", metavar="LOW,HIGH", help="Least and greatest number; either may be left out.")
@click.option("--max-length", type=click.IntRange(0), help="Of a text, list, array's first dimension or record.")
@click.option("--non-empty", is_flag=True, help="It has to hold something.")
@click.option("--finite", is_flag=True, help="Neither NaN nor infinite.")
@click.option("--fields", metavar="NAMES", help="That a record has to have, as in age,country.")
@options.SERVICE
@click.option("--model", metavar="NAME", help="Only this model.")
@click.option("--model-version", metavar="VERSION", help="Only this version of the model.")
@options.STORE
@options.report("table", "json", "html")
@options.window
def validate_command(
    *,
    files: Sequence[str],
    column: str | None,
    service: str | None,
    model: str | None,
    model_version: str | None,
    store: Path,
    form: str,
    output: Path | None,
    window: Window,
    **asked: Any,
) -> int:
    """Whether inputs are as they should be, by the rules of `infersight.validate_input`.

    The inputs are those of FILE, or what the store knows of the inputs of its predictions: the SDK characterises them,
    so that type, length, shape, range and missing fields can be judged although no input was kept. Of the store, what
    services found with their own checks is listed as well. Without a rule, inputs have to be finite and not empty.

    Exit code 1 when an input breaks a rule, 3 when none can be judged.

    \b
    infersight model validate --last 1d --max-length 10000 --non-empty
    infersight model validate texts.txt --max-length 10000
    infersight model validate rows.csv --column age --range 0,120
    """  # noqa: D301 - click's mark for lines that stay lines
    if files:
        if service or model or model_version:
            raise AnalysisError("--service, --model and --model-version choose from a store, not from files")
        inputs = [each for file in files for each in read_inputs([_present(file)], column)]
        found = validate_given(inputs, _rules(**asked, holds_numbers=_hold_numbers(inputs)), ", ".join(files))
    else:
        with opened(store, start_ns=window.start_ns, end_ns=window.end_ns) as connection:
            rules = _rules(**asked, holds_numbers=True)
            found = validate_stored(connection, rules, Chosen(service, model, model_version, window))
    publish_finding(form, output, found, print_validation, validation_page)
    if found.reported or any(rule.broken for rule in found.rules):
        return 1
    if any(rule.judged for rule in found.rules):
        return 0
    click.echo(found.statement, err=True)
    return NEED_MORE_DATA


def _present(file: str) -> str:
    if not Path(file).is_file():
        raise AnalysisError(f"there is no file {file}")
    return file


def _hold_numbers(inputs: Sequence[Any]) -> bool:
    """Whether inputs are numbers, lists or arrays of them, which alone can be finite."""
    return not any(isinstance(each, str | dict) or each is None for each in inputs)


def _rules(
    *,
    types: Sequence[str],
    dtype: str | None,
    shape: str | None,
    ends: str | None,
    max_length: int | None,
    non_empty: bool,
    finite: bool,
    fields: str | None,
    holds_numbers: bool,
) -> InputRules:
    found = InputRules(
        types=types,
        dtype=dtype,
        shape=None if shape is None else _shape(shape),
        range=None if ends is None else _range(ends),
        max_length=max_length,
        non_empty=non_empty,
        finite=finite,
        fields=[] if fields is None else [name.strip() for name in fields.split(",")],
    )
    return found if found.expected else InputRules(non_empty=True, finite=holds_numbers)


def _shape(text: str) -> list[int | None]:
    try:
        return [None if size.strip() == "any" else int(size) for size in text.split(",")]
    except ValueError:
        raise AnalysisError(f"--shape {text!r} is none such as any,3,224,224") from None


def _range(text: str) -> tuple[float | None, float | None]:
    ends = text.split(",")
    try:
        low, high = (float(end) if end.strip() else None for end in ends)
    except ValueError:
        raise AnalysisError(f"--range {text!r} is none such as 0,1 or 0,") from None
    return low, high
