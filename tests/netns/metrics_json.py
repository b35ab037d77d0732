# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads metrics from standard input, strictly, and writes their samples as JSON.

metrics_json.py openmetrics|prometheus
"""
import json
import sys

from prometheus_client import parser
from prometheus_client.openmetrics import parser as open_parser

parse = {"openmetrics": open_parser, "prometheus": parser}[sys.argv[1]].text_string_to_metric_families
text = sys.stdin.buffer.read().decode("utf-8")
samples = [
    {"name": s.name, "labels": s.labels, "value": s.value}
    for family in parse(text)
    for s in family.samples
]
seen = {(s["name"], tuple(sorted(s["labels"].items()))) for s in samples}
assert len(seen) == len(samples), "a series is there twice"
json.dump(samples, sys.stdout)
