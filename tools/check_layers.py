#!/usr/bin/env python3
"""Fails on an #include that runs against the layers: block <- record <- manage <- runs.

    tools/check_layers.py [ROOT]

`report` reads records through their reader only, `cli` sits on top, and what is outside src may use
the public headers alone; tests and benchmarks may use anything. In the Python extension, `ext`, the parts
that measure may also use the headers of src that are made for them; the parts of contextlib know neither
these nor the others. A library of its own, such as `sqlite`, may include public headers; its own header is
for it, for libraries on top of it, for what is outside, and for tests and benchmarks.
"""

import re
import sys
from pathlib import Path

# A layer may include from those listed, as well as from itself.
MAY_INCLUDE = {
    "block": set(),
    "record": {"block"},
    "manage": {"block", "record"},
    "runs": {"block", "record", "manage", "sqlite"},
    "report": {"public", "reader"},
    "ext": {"public"},
    "ext/contextlib": {"public", "ext"},
    "ext/files": {"public", "ext"},
    "ext/memory": {"public", "ext", "door"},
    "ext/runs": {"public", "ext", "runs", "sqlite"},
    "ext/sections": {"public", "ext", "door", "reader"},
    "ext/state": {"public", "ext"},
    "cli": {"public", "block", "record", "reader", "manage", "sqlite", "runs", "report"},
    "top": {"public"},
    "outside": {"public", "hdf5", "sqlite", "runs"},
    "hdf5": {"public"},
    "sqlite": {"public"},
}

# The layer of each public header, by its name in include/within.
PUBLIC = {
    "block": "block error exit_stack generator macros suppress try version",
    "record": "record span",
    "manage": "atomic_file checkpoints closing csv csv_value cuda environment file floating_point gpu gpu_section "
    "interrupts lock memory redirect rng section seed tempdir threads timer watch workdir",
}
# The libraries of their own: their folder is their layer, and has one public header, which the core does not know.
LIBRARIES = {"hdf5", "sqlite"}
OWN_HEADERS = {"hdf5": "hdf5", "run": "runs", "sqlite": "sqlite"}
PUBLIC_LAYER = {f"within/{name}.h": layer for layer, names in PUBLIC.items() for name in names.split()}
PUBLIC_LAYER |= {f"within/{name}.h": layer for name, layer in OWN_HEADERS.items()}

# What other layers may read records with, which are nobody's way to write them.
READER = {"record/format.h", "record/profile.h", "record/reader.h", "record/signal_name.h"}

# What src offers the Python extension beyond the public headers.
DOOR = {"manage/counters.h", "manage/inventory.h", "record/span.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def layer_of(path):
    """The layer that a file, named from the root, belongs to; None if it is free to do anything."""
    parts = path.parts
    if parts[0] in ("tests", "bench"):
        return None
    if parts[0] == "include":
        return PUBLIC_LAYER.get("/".join(parts[1:]), "top") if len(parts) > 2 else "top"
    if parts[0] == "src":
        return parts[1] if len(parts) > 2 else "top"
    if parts[0] in LIBRARIES:
        return parts[0]
    return "/".join(parts[1:-1]) if parts[:2] == ("python", "ext") else "outside"


def target_layers(root, path, mark, name):
    """The layers by which an included file may be reached; empty if it is not of this project."""
    if name == "within.h":
        return {"top", "public"}
    if PUBLIC_LAYER.get(name) in OWN_HEADERS.values():
        return {PUBLIC_LAYER[name]}
    if name.startswith("within/"):
        return {"public", PUBLIC_LAYER.get(name, "a public header that tools/check_layers.py lacks")}
    if path.parts[:2] == ("python", "ext") and (root / "python/ext" / name).exists():
        return {Path("ext", name).parent.as_posix()}
    if mark == '"' and (root / path.parent / name).exists():
        file = (root / path.parent / name).resolve()
        name = file.relative_to(root / "src").as_posix() if file.is_relative_to(root / "src") else ""
    if not name or not (root / "src" / name).exists():
        return set()
    offered = [kind for kind, headers in (("reader", READER), ("door", DOOR)) if name in headers]
    return {name.split("/")[0], *offered}


def wrong_includes(root, path):
    """The messages about one file."""
    layer = layer_of(path)
    if layer is None:
        return
    if layer not in MAY_INCLUDE:
        yield f"{path}: src/{layer} is no layer that tools/check_layers.py knows"
        return
    for number, line in enumerate((root / path).read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        targets = target_layers(root, path, *found.groups())
        if targets and not targets & {layer, *MAY_INCLUDE[layer]}:
            target = " or ".join(sorted(targets - {"public", "reader", "door"}))
            yield f"{path}:{number}: {layer} must not include {target}: {line.strip()}"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    folders = "include", "src", *sorted(LIBRARIES), "examples", "bench", "python"
    files = [p for f in folders for p in sorted((root / f).rglob("*")) if p.suffix in (".c", ".h", ".cpp")]
    messages = [m for p in files for m in wrong_includes(root, p.relative_to(root))]
    print("\n".join(messages), end="\n" if messages else "")
    sys.exit(bool(messages))


if __name__ == "__main__":
    main()
