"""A million numbers in C and in Python from the same seeds: the page on seeds shows both programs, which are run as all are."""

import re


def test_both_languages_print_the_same_checksums(root):
    page = (root / "docs/state/seeds.md").read_text()
    part = page.split("## One run in C and in Python")[1].split("\n## ")[0]
    languages = re.findall(r"^```(python|c)\n", part, re.M)
    printed = re.findall(r"^```text\n(.*?)^```", part, re.S | re.M)
    assert languages == ["python", "c"] and len(printed) == 2
    assert printed[0] == printed[1] and len(printed[0].splitlines()) == 3
