"""The verbs of the command line: each module adds its parser with `add(verbs)`; a verb's `run(options)` gives its report."""

from analysis.commands import cases, extract, growth, listing, persistence, radar, ranking, scoreboard, sensitivity, spectrum

VERBS = (extract, listing, persistence, spectrum, sensitivity, radar, ranking, growth, cases, scoreboard)
