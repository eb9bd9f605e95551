"""The tables of tools/bench.py: rows judged by their targets, and printed as Markdown that is read as it is."""


def judged(row):
    """The figure that the row's target is about."""
    return row[row["target"] or "ratio"]


def is_met(row):
    return judged(row) <= row["at_most"] * (1 + 1e-9) if row["target"] else None


def quantity(number, unit):
    """A number with its unit: 15.2 ns, 1.26 ms, 44 KiB."""
    scales = ["ns", "us", "ms", "s"] if unit == "ns" else ["B", "KiB", "MiB"]
    step = 1000 if unit == "ns" else 1024
    for scale in scales[:-1]:
        if abs(number) < step:
            return f"{number:#.3g} {scale}".replace(". ", " ")
        number /= step
    return f"{number:#.3g} {scales[-1]}".replace(". ", " ")


def target_text(row):
    limit, unit = row["at_most"], row["unit"]
    return {
        "": "",
        "ratio": f"ratio {limit:.3g}",
        "difference": f"{quantity(limit, unit)} more",
        "value": quantity(limit, unit),
    }[row["target"]]


def print_table(heads, lines, left=(0,)):
    """A Markdown table; the columns in `left` are set from the left."""
    lines = [heads, *lines]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    rule = ["-" * width if i in left else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    for line in [heads, rule, *lines[1:]]:
        cells = [
            cell.ljust(width) if i in left else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths))
        ]
        print("|", " | ".join(cells), "|")


# ---- C: the worse of the compilers ----


def worst_rows(rows):
    """Of each name the row of the compiler that did worse."""
    worst = {}
    for row in rows:
        if row["name"] not in worst or judged(row) > judged(worst[row["name"]]):
            worst[row["name"]] = row
    return list(worst.values())


def compiler_line(row):
    at_best = row["least"] / row["baseline_least"]
    met = {None: "", True: "yes", False: "NO"}[is_met(row)]
    value, baseline = (quantity(row[key], row["unit"]) for key in ("value", "baseline"))
    ratios = [f"{row['ratio']:.3g}", f"{at_best:.3g}"]
    return [row["name"], value, baseline, *ratios, target_text(row), met, row["compiler"]]


def print_compilers(rows):
    """Print a line for each row; return how many targets there are, and how many are met."""
    worst = worst_rows(rows)
    heads = ["", "median", "baseline", "ratio", "at best", "at most", "met", "worse"]
    print_table(heads, map(compiler_line, worst), left=(0, 6, 7))
    verdicts = [is_met(row) for row in worst if row["target"]]
    return len(verdicts), sum(verdicts)


# ---- Python: a column for each version ----


def version_cell(row):
    if row["target"] == "difference":
        return f"{quantity(row['value'], row['unit'])}  {quantity(row['difference'], row['unit'])} more"
    ratio = f"{row['ratio']:.3f}" if row["ratio"] >= 0.0005 else f"{row['ratio']:.0e}"
    return f"{quantity(row['value'], row['unit'])} {ratio:>6}"


def targets_text(rows):
    """What most versions promise, and those that promise something else: "ratio 1, ratio 0.25 on 3.11"."""
    texts = {row["python"]: target_text(row) for row in rows}
    usual = max(texts.values(), key=list(texts.values()).count)
    others = [f"{text} on {version}" for version, text in texts.items() if text != usual]
    return ", ".join(text for text in [usual, *others] if text)


def met_text(rows):
    failed = [row["python"] for row in rows if is_met(row) is False]
    return "NO: " + " ".join(failed) if failed else "yes" if any(row["target"] for row in rows) else ""


def print_pythons(rows):
    """Print a line for each name, with median and ratio on each version; return the counts of targets."""
    versions = list(dict.fromkeys(row["python"] for row in rows))
    lines = []
    for name in dict.fromkeys(row["name"] for row in rows):
        same = {row["python"]: row for row in rows if row["name"] == name}
        cells = [version_cell(same[version]) if version in same else "" for version in versions]
        lines.append([name, *cells, targets_text(same.values()), met_text(same.values())])
    print_table(["", *versions, "at most", "met"], lines, left=(0, len(versions) + 1, len(versions) + 2))
    verdicts = [is_met(row) for row in rows if row["target"]]
    return len(verdicts), sum(verdicts)
