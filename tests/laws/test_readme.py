"""The README says what the app says: its scoreboard is the one that is shipped. `python -m tests.laws.test_readme` prints the table as it should stand."""

from pathlib import Path

import pytest

from analysis.studies.scoreboard import shipped

pytest.importorskip("torch")
README = Path(__file__).resolve().parents[2] / "README.md"


def lines() -> list[str]:
    number = lambda value, form: f"{value:{form}}".replace("-", "−")  # noqa: E731
    table = shipped()[0].table()
    return [f"| {row.method}{' (trivial)' if row.kind == 'trivial' else ''} | {number(row.mean_spearman, '.2f')} "
            f"({number(row.spearman_low, '.2f')} to {number(row.spearman_high, '.2f')}) | {number(row.mci, '+.1f')} "
            f"({number(row.mci_low, '+.1f')} to {number(row.mci_high, '+.1f')}) |" for row in table.itertuples()]


def test_the_scoreboard_in_the_readme_is_the_one_that_is_shipped():
    text = README.read_text(encoding="utf-8")
    assert "\n".join(lines()) in text and shipped()[1]["date"] in text and shipped()[1]["command"] in text


if __name__ == "__main__":
    print("\n".join(lines()))
