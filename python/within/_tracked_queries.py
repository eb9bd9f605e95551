"""Filters and orders as MLflow writes them: ``metrics.loss < 0.1 and params.rate = '0.5'``, ``start_time DESC``."""

import re

_KEY = r"""(?:(?P<kind>metrics?|params?|parameters?|tags?|attributes?|attr|run)\.)?(?P<key>[\w./-]+|`[^`]+`|"[^"]+")"""
_COMPARISON = re.compile(
    rf"""\s*{_KEY}\s*(?P<operator>!=|<=|>=|=|<|>|I?LIKE\b)\s*(?P<value>'[^']*'|"[^"]*"|[-+.\w]+)\s*(?P<next>AND\b|$)""",
    re.I,
)
_ORDER = re.compile(rf"\s*{_KEY}\s*(?P<way>ASC|DESC)?\s*$", re.I)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|[-+]?(inf(inity)?|nan)", re.I)
_TIMES = ("start_time", "end_time")
_ATTRIBUTES = ("run_id", "run_name", "experiment_id", "status", "artifact_uri", *_TIMES)
_OF_DATA = {"m": "metrics", "p": "params", "t": "tags"}
_OPERATORS = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "like": lambda a, b: bool(re.fullmatch(_pattern(b), a, re.S)),
    "ilike": lambda a, b: bool(re.fullmatch(_pattern(b), a, re.S | re.I)),
}


def _pattern(like):
    return "".join({"%": ".*", "_": "."}.get(letter) or re.escape(letter) for letter in like)


def _key(found):
    """A function that gives what a run has under the key, or None; and whether that is a number."""
    kind, key = (found["kind"] or "attribute")[0].lower(), found["key"].strip('`"')
    if kind in _OF_DATA:
        return lambda run: getattr(run.data, _OF_DATA[kind]).get(key), kind == "m"
    key = "start_time" if key.lower() == "created" else key
    if key not in _ATTRIBUTES:
        raise ValueError(
            f"search_runs(): {key} is no attribute of runs, which are {', '.join(_ATTRIBUTES)}; "
            "names of metrics, params and tags are written as metrics.loss, params.rate and tags.kind"
        )
    return lambda run: getattr(run.info, key), key in _TIMES


def _other(found, is_number):
    """What the key's value is compared with."""
    text, operator = found["value"], found["operator"].lower()
    if is_number and _NUMBER.fullmatch(text) and "like" not in operator:
        return float(text)
    if not is_number and text[0] in "'\"":
        return text[1:-1]
    raise ValueError(
        f"search_runs(): {found['key']} {operator} {text}: metrics and times are compared with numbers, "
        "and all else with texts in quotes"
    )


def filtered(runs, text):
    """Those of the runs that a filter lets through; a comparison is false where there is nothing under its key."""
    place = 0
    while text.strip() and place < len(text):
        found = _COMPARISON.match(text, place)
        if not found:
            raise NotImplementedError(f"search_runs(): the filter {text[place:].strip()!r} is not understood here")
        value, is_number = _key(found)
        compare, other = _OPERATORS[found["operator"].lower()], _other(found, is_number)
        runs = [run for run in runs if value(run) is not None and compare(value(run), other)]
        place = found.end()
    return runs


def in_order(runs, order_by):
    """The runs by the first of the keys, then the second, …; those that lack a key are last."""
    for text in reversed(order_by):
        found = _ORDER.match(text)
        if not found:
            raise NotImplementedError(f"search_runs(): the order {text!r} is not understood here")
        value, _ = _key(found)
        has = [run for run in runs if value(run) is not None]
        lacks = [run for run in runs if value(run) is None]
        runs = sorted(has, key=value, reverse=(found["way"] or "").upper() == "DESC") + lacks
    return runs
