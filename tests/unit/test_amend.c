// SPDX-License-Identifier: GPL-2.0-or-later
/* What was changed over a file is written into it, however it is written; the rest stays as it is. */
#include "tests/unit/amend_run.h"

#include "tests/lib/fault.h"

#define GATE "gateway: { interfaces: [ { name: lan0 } ] }\n"

struct row {
	const char *what, *words, *before, *after;
};

static const struct row rows[] = {
	{ "a backend comes behind the others", "+p/10.0.0.3*7",
	  GATE "pools:\n"
	       "  - name: p # the first\n"
	       "    backends:\n"
	       "      # those in the cellar\n"
	       "      - address: 10.0.0.1\n"
	       "        weight: 5   # strong\n"
	       "      - address: 10.0.0.2   # weak\n"
	       "\n"
	       "# who listens\n"
	       "services: []\n",
	  GATE "pools:\n"
	       "  - name: p # the first\n"
	       "    backends:\n"
	       "      # those in the cellar\n"
	       "      - address: 10.0.0.1\n"
	       "        weight: 5   # strong\n"
	       "      - address: 10.0.0.2   # weak\n"
	       "      - address: 10.0.0.3\n"
	       "        weight: 7\n"
	       "\n"
	       "# who listens\n"
	       "services: []\n" },
	{ "weight 1 needs no word", "+p/app.test",
	  GATE "pools:\n- name: p\n  backends:\n  - address: 10.0.0.1\n",
	  GATE "pools:\n- name: p\n  backends:\n  - address: 10.0.0.1\n  - address: app.test\n" },
	{ "an address in quotes", "+p/fd00::7",
	  GATE "pools:\n- name: p\n  backends:\n  -   address: 'fd00::1'\n",
	  GATE
	  "pools:\n- name: p\n  backends:\n  -   address: 'fd00::1'\n  -   address: 'fd00::7'\n" },
	{ "or only where it needs them", "+p/fd00::7 +p/10.0.0.3",
	  GATE "pools:\n- name: p\n  backends:\n  - address: 10.0.0.1\n",
	  GATE "pools:\n- name: p\n  backends:\n  - address: 10.0.0.1\n  - address: 10.0.0.3\n"
	       "  - address: \"fd00::7\"\n" },
	{ "a weight that is there, and two that are not", "p/10.0.0.1*9 p/10.0.0.2*4 p/10.0.0.3*0",
	  GATE "pools:\n"
	       "  - name: p\n"
	       "    backends:\n"
	       "      - weight: \"5\"  # was 6\n"
	       "        address: 10.0.0.1\n"
	       "      - address: 10.0.0.2  # lone\n"
	       "      - { address: 10.0.0.3 }  # too\n",
	  GATE "pools:\n"
	       "  - name: p\n"
	       "    backends:\n"
	       "      - weight: 9  # was 6\n"
	       "        address: 10.0.0.1\n"
	       "      - address: 10.0.0.2  # lone\n"
	       "        weight: 4\n"
	       "      - { address: 10.0.0.3, weight: 0 }  # too\n" },
	{ "the first, one between and the last go", "-p/10.0.0.1 -p/10.0.0.3 -p/10.0.0.5",
	  GATE "pools:\n"
	       "  - name: p\n"
	       "    backends:\n"
	       "      # above\n"
	       "      - address: 10.0.0.1 # one\n"
	       "        weight: 4\n"
	       "          # deeper\n"
	       "      # two\n"
	       "      - address: 10.0.0.2\n"
	       "\n"
	       "      - address: 10.0.0.3\n"
	       "      - address: 10.0.0.4 # four\n"
	       "      - address: 10.0.0.5\n"
	       "      # the end",
	  GATE "pools:\n"
	       "  - name: p\n"
	       "    backends:\n"
	       "      # above\n"
	       "      # two\n"
	       "      - address: 10.0.0.2\n"
	       "\n"
	       "      - address: 10.0.0.4 # four\n"
	       "      # the end" },
	{ "the last one, and no line break behind it", "-p/10.0.0.2",
	  GATE "pools:\n- name: p\n  backends:\n  - address: 10.0.0.1\n  - address: 10.0.0.2",
	  GATE "pools:\n- name: p\n  backends:\n  - address: 10.0.0.1" },
	{ "one more, and no line break behind it", "+p/10.0.0.2",
	  GATE "pools:\n- name: p\n  backends:\n  - address: 10.0.0.1",
	  GATE "pools:\n- name: p\n  backends:\n  - address: 10.0.0.1\n  - address: 10.0.0.2" },
	{ "all go", "-p/10.0.0.1 -p/10.0.0.2",
	  GATE "pools:\n"
	       "  - name: p\n"
	       "    backends:   # of p\n"
	       "      - address: 10.0.0.1\n"
	       "      # still\n"
	       "      - address: 10.0.0.2\n"
	       "  - name: q\n",
	  GATE "pools:\n"
	       "  - name: p\n"
	       "    backends: []   # of p\n"
	       "      # still\n"
	       "  - name: q\n" },
	{ "all go, others come", "-p/10.0.0.1 -p/10.0.0.2 +p/10.0.0.3",
	  GATE "pools:\n  - name: p\n    backends:\n      - address: 10.0.0.1 # one\n"
	       "      - address: 10.0.0.2\n  - name: q\n",
	  GATE "pools:\n  - name: p\n    backends:\n      - address: 10.0.0.3\n  - name: q\n" },
	{ "the first one of a pool without the key", "+p/10.0.0.1 +p/10.0.0.2*2",
	  GATE
	  "pools:\n  - name: p  # none yet\n  - name: q\n    backends:\n    - address: 10.0.0.9\n",
	  GATE "pools:\n  - name: p  # none yet\n    backends:\n    - address: 10.0.0.1\n"
	       "    - address: 10.0.0.2\n      weight: 2\n"
	       "  - name: q\n    backends:\n    - address: 10.0.0.9\n" },
	{ "of one with a key without a value", "+p/10.0.0.1",
	  GATE "pools:\n  - backends:  # none yet\n    # to come\n    name: p\n",
	  GATE
	  "pools:\n  - backends:  # none yet\n      - address: 10.0.0.1\n    # to come\n    name: p\n" },
	{ "of one with an empty list", "+p/10.0.0.1",
	  GATE "pools:\n  - name: p\n    backends: []\n  - name: q\n    backends: ~ # nobody\n",
	  GATE
	  "pools:\n  - name: p\n    backends:\n      - address: 10.0.0.1\n  - name: q\n    backends: ~ # nobody\n" },
	{ "of one with null, as the others are written", "+q/10.0.0.1",
	  GATE "pools:\n  - name: p\n    backends: [{address: 10.0.0.3}]\n  - name: q\n"
	       "    backends: ~ # nobody\n",
	  GATE "pools:\n  - name: p\n    backends: [{address: 10.0.0.3}]\n  - name: q\n"
	       "    backends: [{address: 10.0.0.1}] # nobody\n" },
	{ "an empty list with a comment in it stays one in brackets", "+p/10.0.0.1",
	  GATE "pools:\n  - name: p\n    backends: [\n      # none\n    ]\n",
	  GATE "pools:\n  - name: p\n    backends: [ { address: 10.0.0.1 } ]\n" },
	{ "pools come and go", "-p +r +s +s/10.0.0.4*2 +s/app.test",
	  GATE "pools:\n"
	       "  # first\n"
	       "  - name: p\n"
	       "    # of p\n"
	       "    backends:\n"
	       "      - address: 10.0.0.1\n"
	       "  # second\n"
	       "  - name: q\n"
	       "    backends:\n"
	       "      - address: 10.0.0.2\n"
	       "      # and no more\n"
	       "\n"
	       "# services\n"
	       "services: []\n",
	  GATE "pools:\n"
	       "  # first\n"
	       "  # second\n"
	       "  - name: q\n"
	       "    backends:\n"
	       "      - address: 10.0.0.2\n"
	       "      # and no more\n"
	       "  - name: r\n"
	       "  - name: s\n"
	       "    backends:\n"
	       "      - address: 10.0.0.4\n"
	       "        weight: 2\n"
	       "      - address: app.test\n"
	       "\n"
	       "# services\n"
	       "services: []\n" },
	{ "a backend and a pool behind the same line", "+p/10.0.0.2 +q p/10.0.0.1*3",
	  GATE "pools:\n  - name: p\n    backends:\n      - address: 10.0.0.1\n",
	  GATE "pools:\n  - name: p\n    backends:\n      - address: 10.0.0.1\n        weight: 3\n"
	       "      - address: 10.0.0.2\n  - name: q\n" },
	{ "all pools go", "-p -q", GATE "pools:\n- name: p\n- name: q\nservices: []\n",
	  GATE "pools: []\nservices: []\n" },
	{ "the first pool of all", "+p +p/10.0.0.1 +p/fd00::1*4", GATE "services: []  # none\n",
	  GATE
	  "services: []  # none\npools:\n  - name: p\n    backends:\n      - address: 10.0.0.1\n"
	  "      - address: \"fd00::1\"\n        weight: 4\n" },
	{ "of a file that ends with a document's end", "+p", GATE "pools:\n# - name: old\n...\n",
	  GATE "pools:\n  - name: p\n# - name: old\n...\n" },
	{ "names that need quotes", "+null +5 +a.b +-x", GATE "pools:\n  - name: p\n",
	  GATE
	  "pools:\n  - name: p\n  - name: \"-x\"\n  - name: \"5\"\n  - name: a.b\n  - name: \"null\"\n" },
	{ "lines end as they do", "+p/10.0.0.3 -p/10.0.0.1",
	  "gateway:\r\n  interfaces:\r\n    - name: lan0\r\npools:\r\n  - name: p\r\n    backends:\r\n"
	  "      - address: 10.0.0.1\r\n      - address: 10.0.0.2 # two\r\n",
	  "gateway:\r\n  interfaces:\r\n    - name: lan0\r\npools:\r\n  - name: p\r\n    backends:\r\n"
	  "      - address: 10.0.0.2 # two\r\n      - address: 10.0.0.3\r\n" },
	{ "tabs where they may be", "+p/10.0.0.2*2 p/10.0.0.1*4",
	  GATE "pools:\n  - name:\tp\t# tab\n    backends:\t\n      - address:\t10.0.0.1\t# one\n",
	  GATE "pools:\n  - name:\tp\t# tab\n    backends:\t\n      - address:\t10.0.0.1\t# one\n"
	       "        weight: 4\n      - address: 10.0.0.2\n        weight: 2\n" },
	{ "letters of more than one byte", "+p/10.0.0.2 -p/10.0.0.1",
	  "# \xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\n" GATE
	  "pools: # \xc3\xa4\n  - name: p\n    backends:\n      - address: 10.0.0.1 # \xc3\xb6\n"
	  "      - address: 10.0.0.9 # \xc3\xbf\n",
	  "# \xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\n" GATE
	  "pools: # \xc3\xa4\n  - name: p\n    backends:\n"
	  "      - address: 10.0.0.9 # \xc3\xbf\n      - address: 10.0.0.2\n" },
	{ "in brackets, on one line", "+p/10.0.0.4*4 -p/10.0.0.2 p/10.0.0.1*3",
	  GATE "pools: [ { name: p, backends: [ { address: 10.0.0.1 }, { address: 10.0.0.2 },\n"
	       "  { address: 10.0.0.3, weight: 5 } ] } ] # all\n",
	  GATE
	  "pools: [ { name: p, backends: [ { address: 10.0.0.1, weight: 3 },\n"
	  "  { address: 10.0.0.3, weight: 5 }, { address: 10.0.0.4, weight: 4 } ] } ] # all\n" },
	{ "the last ones in brackets", "-p/10.0.0.2 -p/10.0.0.3",
	  GATE "pools: [{name: p, backends: [{address: 10.0.0.1}, {address: 10.0.0.2},\n"
	       "  {address: 10.0.0.3}]}, {name: q}]\n",
	  GATE "pools: [{name: p, backends: [{address: 10.0.0.1}]}, {name: q}]\n" },
	{ "the last one, and a new one", "-p/10.0.0.2 +p/10.0.0.3",
	  GATE "pools: [{name: p, backends: [{address: 10.0.0.1}, {address: 10.0.0.2}]}]\n",
	  GATE "pools: [{name: p, backends: [{address: 10.0.0.1}, {address: 10.0.0.3}]}]\n" },
	{ "the first one", "-p/10.0.0.1",
	  GATE "pools: [{name: p, backends: [{address: 10.0.0.1}, {address: 10.0.0.2}]}]\n",
	  GATE "pools: [{name: p, backends: [{address: 10.0.0.2}]}]\n" },
	{ "all of them", "-p/10.0.0.1 -p/10.0.0.2",
	  GATE "pools: [{name: p, backends: [{address: 10.0.0.1}, {address: 10.0.0.2}]}]\n",
	  GATE "pools: [{name: p, backends: []}]\n" },
	{ "all of them, for others", "-p/10.0.0.1 -p/10.0.0.2 +p/10.0.0.3*2",
	  GATE "pools: [{name: p, backends: [ {address: 10.0.0.1}, {address: 10.0.0.2} ]}]\n",
	  GATE "pools: [{name: p, backends: [ {address: 10.0.0.3, weight: 2} ]}]\n" },
	{ "a comma behind the last", "-p/10.0.0.2 +p/10.0.0.3 +p/10.0.0.4",
	  GATE "pools: [{name: p, backends: [{address: 10.0.0.1}, {address: 10.0.0.2}, ]}]\n",
	  GATE
	  "pools: [{name: p, backends: [{address: 10.0.0.1}, {address: 10.0.0.3}, {address: 10.0.0.4}, ]}]\n" },
	{ "in brackets, a line each", "-p/10.0.0.2 -p/10.0.0.4 +p/10.0.0.5 +p/10.0.0.6*6",
	  GATE "pools:\n"
	       "  - name: p\n"
	       "    backends: [   # all\n"
	       "      { address: 10.0.0.1 },  # one\n"
	       "      { address: 10.0.0.2 },  # two\n"
	       "      # three\n"
	       "      { address: 10.0.0.3 },\n"
	       "      { address: 10.0.0.4 }   # four\n"
	       "      # end\n"
	       "    ]\n",
	  GATE "pools:\n"
	       "  - name: p\n"
	       "    backends: [   # all\n"
	       "      { address: 10.0.0.1 },  # one\n"
	       "      # three\n"
	       "      { address: 10.0.0.3 },\n"
	       "      { address: 10.0.0.5 },\n"
	       "      { address: 10.0.0.6, weight: 6 }\n"
	       "      # end\n"
	       "    ]\n" },
	{ "and only the last goes", "-p/10.0.0.2",
	  GATE "pools:\n  - name: p\n    backends: [\n      { address: 10.0.0.1 },  # one\n"
	       "      { address: 10.0.0.2 }   # two\n    ]\n",
	  GATE
	  "pools:\n  - name: p\n    backends: [\n      { address: 10.0.0.1 }  # one\n    ]\n" },
	{ "and only one comes", "+p/10.0.0.3",
	  GATE "pools:\n  - name: p\n    backends: [\n      { address: 10.0.0.1 },  # one\n"
	       "      { address: 10.0.0.2 }   # two\n    ]\n",
	  GATE "pools:\n  - name: p\n    backends: [\n      { address: 10.0.0.1 },  # one\n"
	       "      { address: 10.0.0.2 },   # two\n      { address: 10.0.0.3 }\n    ]\n" },
	{ "and all go for others, with a comma behind the last",
	  "-p/10.0.0.1 -p/10.0.0.2 +p/10.0.0.3 +p/10.0.0.4",
	  GATE
	  "pools:\n  - name: p\n    backends: [\n      # which\n      { address: 10.0.0.1 },  # one\n"
	  "      { address: 10.0.0.2 },   # two\n    ]\n",
	  GATE "pools:\n  - name: p\n    backends: [\n      # which\n      { address: 10.0.0.3 },\n"
	       "      { address: 10.0.0.4 },\n    ]\n" },
	{ "commas at the beginning of lines", "-p/10.0.0.2 +p/10.0.0.4",
	  GATE
	  "pools:\n  - name: p\n    backends: [ { address: 10.0.0.1 }\n"
	  "              , { address: 10.0.0.2 }\n              , { address: 10.0.0.3 }\n    ]\n",
	  GATE "pools:\n  - name: p\n    backends: [ { address: 10.0.0.1 }\n"
	       "              , { address: 10.0.0.3 }, { address: 10.0.0.4 }\n    ]\n" },
	{ "the last one behind a comment", "-p/10.0.0.2",
	  GATE "pools:\n  - name: p\n    backends: [ { address: 10.0.0.1 }, # one\n"
	       "      { address: 10.0.0.2 } ]\n",
	  GATE "pools:\n  - name: p\n    backends: [ { address: 10.0.0.1 } # one\n ]\n" },
	{ "pairs without braces", "p/10.0.0.1*2 +p/10.0.0.3 -p/10.0.0.2",
	  GATE
	  "pools: [ name: q, { name: p, backends: [ address: 10.0.0.1, address: 10.0.0.2 ] } ]\n",
	  GATE
	  "pools: [ name: q, { name: p, backends: [ { address: 10.0.0.1, weight: 2 }, { address: 10.0.0.3 } ] } ]\n" },
	{ "a pool without braces", "+p/10.0.0.1 +q +q/10.0.0.2", GATE "pools: [ name: p ]\n",
	  GATE
	  "pools: [ { name: p, backends: [ { address: 10.0.0.1 } ] }, { name: q, backends: [ { address: 10.0.0.2 } ] } ]\n" },
	{ "JSON", "+p/10.0.0.2*2 -q +r +r/fd00::1 p/10.0.0.1*8",
	  "{\n"
	  "  \"gateway\": { \"interfaces\": [ { \"name\": \"lan0\" } ] },\n"
	  "  \"pools\": [\n"
	  "    {\n"
	  "      \"name\": \"p\",\n"
	  "      \"backends\": [\n"
	  "        { \"address\": \"10.0.0.1\" }\n"
	  "      ]\n"
	  "    },\n"
	  "    { \"name\": \"q\", \"backends\": [] }\n"
	  "  ]\n"
	  "}\n",
	  "{\n"
	  "  \"gateway\": { \"interfaces\": [ { \"name\": \"lan0\" } ] },\n"
	  "  \"pools\": [\n"
	  "    {\n"
	  "      \"name\": \"p\",\n"
	  "      \"backends\": [\n"
	  "        { \"address\": \"10.0.0.1\", \"weight\": 8 },\n"
	  "        { \"address\": \"10.0.0.2\", \"weight\": 2 }\n"
	  "      ]\n"
	  "    },\n"
	  "    { \"name\": \"r\", \"backends\": [ { \"address\": \"fd00::1\" } ] }\n"
	  "  ]\n"
	  "}\n" },
	{ "JSON without pools", "+p", "{\"gateway\": {\"interfaces\": [{\"name\": \"lan0\"}]}}",
	  "{\"gateway\": {\"interfaces\": [{\"name\": \"lan0\"}]}, \"pools\": [{\"name\": \"p\"}]}" },
	{ "keys with a question mark", "p/10.0.0.1*2 +p/10.0.0.2 -q",
	  GATE
	  "pools:\n  - ? name\n    : p\n    ? backends\n    :\n      - ? address\n        : 10.0.0.1\n"
	  "  - ? name\n    : q\n",
	  GATE
	  "pools:\n  - ? name\n    : p\n    ? backends\n    :\n      - ? address\n        : 10.0.0.1\n"
	  "        weight: 2\n      - address: 10.0.0.2\n" },
	{ "texts of many lines", "p/10.0.0.1*2 +p/10.0.0.2",
	  GATE
	  "pools:\n  - name: |-\n      p\n    backends:\n      - address: >-\n          10.0.0.1\n\n\n"
	  "# end\n",
	  GATE
	  "pools:\n  - name: |-\n      p\n    backends:\n      - address: >-\n          10.0.0.1\n"
	  "        weight: 2\n      - address: 10.0.0.2\n\n\n# end\n" },
	{ "a dash alone on its line", "-p/10.0.0.2 +p/10.0.0.3",
	  GATE "pools:\n  - # p\n    name: p\n    backends:\n      -\n        address: 10.0.0.1\n"
	       "      - # two\n\n        address: 10.0.0.2\n",
	  GATE "pools:\n  - # p\n    name: p\n    backends:\n      -\n        address: 10.0.0.1\n"
	       "      - address: 10.0.0.3\n" },
	{ "orders are no matter of the file", "p/10.0.0.1!d p/10.0.0.2*3!d",
	  GATE "pools:\n- name: p\n  backends: [{address: 10.0.0.1}, {address: 10.0.0.2}]\n",
	  GATE
	  "pools:\n- name: p\n  backends: [{address: 10.0.0.1}, {address: 10.0.0.2, weight: 3}]\n" },
	{ "names are found however they are written", "p/app.test*2 -p/fd00::1 +p/10.0.0.2",
	  GATE "pools:\n- name: p\n  backends:\n  - address: App.Test.\n  - address: FD00:0::1\n",
	  GATE
	  "pools:\n- name: p\n  backends:\n  - address: App.Test.\n    weight: 2\n  - address: 10.0.0.2\n" },
	{ "an interface comes, one goes, one changes", "+@gc:native- -@gb1 @go:off",
	  "gateway:\n"
	  "  interfaces:\n"
	  "    - name: go  # clients\n"
	  "    - name: gb1 # one\n"
	  "      xdp: generic\n"
	  "    # two\n"
	  "    - { name: gb2 }\n"
	  "  mode: observe\n",
	  "gateway:\n"
	  "  interfaces:\n"
	  "    - name: go  # clients\n"
	  "      xdp: \"off\"\n"
	  "    # two\n"
	  "    - { name: gb2 }\n"
	  "    - { name: gc, xdp: native, egress: false }\n"
	  "  mode: observe\n" },
	{ "interfaces in brackets, and a pool", "+@gc +@gd:off @lan0:native- +p",
	  "gateway: { interfaces: [ { name: lan0, egress: true } ] }\n",
	  "gateway: { interfaces: [ { name: lan0, egress: false, xdp: native }, { name: gc }, "
	  "{ name: gd, xdp: \"off\" } ] }\npools:\n  - name: p\n" },
	{ "an interface as it is without a word", "@lan0",
	  "gateway: { interfaces: [ { name: lan0, xdp: native, egress: false } ] }\n",
	  "gateway: { interfaces: [ { name: lan0, xdp: auto, egress: true } ] }\n" },
	{ "all interfaces for another", "-@lan0 +@gc:generic",
	  "{\"gateway\": {\"interfaces\": [{\"name\": \"lan0\"}]}}",
	  "{\"gateway\": {\"interfaces\": [{\"name\": \"gc\", \"xdp\": \"generic\"}]}}" },
	{ "an interface without braces", "@lan0:off +@gc",
	  "gateway: { interfaces: [ name: lan0 ] }\n",
	  "gateway: { interfaces: [ { name: lan0, xdp: \"off\" }, { name: gc } ] }\n" },
	{ "that nothing is guarded no file can say", "-@lan0 +p/10.0.0.2",
	  GATE "pools:\n- name: p\n  backends: []\n",
	  GATE "pools:\n- name: p\n  backends:\n    - address: 10.0.0.2\n" },
	{ "services stay with their pools", "-a +c +c/10.0.0.1",
	  GATE
	  "settings: [ { name: w, protocol: http, port: 80 } ]\n"
	  "services:\n  - { name: s, pool: b, settings: w }\npools:\n  - name: a\n  - name: b\n",
	  GATE
	  "settings: [ { name: w, protocol: http, port: 80 } ]\n"
	  "services:\n  - { name: s, pool: b, settings: w }\npools:\n  - name: b\n  - name: c\n"
	  "    backends:\n      - address: 10.0.0.1\n" },
};

static void styles(void **state)
{
	bool failed = false;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(amendment_done)
		struct amendment amendment = amended(rows[i].before, rows[i].words);

		if (strcmp(amendment.text, rows[i].after) != 0) {
			printf("# %s: expected\n%s# and not\n%s", rows[i].what, rows[i].after,
			       amendment.text);
			failed = true;
		}
		assert_int_equal(amendment.len, strlen(amendment.text));
	}
	assert_false(failed);
}

/* What cannot be written is said, and is no half of something. */
static void refused(void **state)
{
	static const struct refusal {
		const char *words, *yaml, *why;
		int code;
	} refusals[] = {
		{ "+p/10.0.0.1", GATE "pools:\n  - name: p\n    ? backends\n",
		  "line 4 cannot be changed safely: the key has no colon", -ENOTSUP },
		{ "+p/10.0.0.1", GATE "pools: [ { name: p, backends } ]\n",
		  "line 2 cannot be changed safely: the key has no colon", -ENOTSUP },
		{ "-q", GATE "? pools\n: - name: q\n  - name: p\n",
		  "line 3 cannot be changed safely: the item does not begin its line", -ENOTSUP },
		{ "+new\nline", GATE "pools: [ name: p ]\n", "name 'new\nline'", -EINVAL },
		{ "+p/10.0.0.1:80", GATE "pools: [ name: p ]\n", "address '10.0.0.1:80'", -EINVAL },
		{ "+@a/b", GATE, "name 'a/b'", -EINVAL },
		{ "+p/FD00::1", GATE "pools: [ name: p ]\n", "not written as it is kept", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *row = &refusals[i];
		CLEANUP(model_free_p) struct model *file = layers_file(row->yaml);
		CLEANUP(overlay_done) struct overlay overlay = overlay_of(row->words);
		struct amendment amendment = { .len = 0 };
		struct err err = { "" };

		assert_int_equal(amend(&amendment, file, row->yaml, strlen(row->yaml), "t.yaml",
				       &overlay, &err),
				 row->code);
		assert_null(amendment.text);
		if (!strstr(err.text, row->why))
			fail_msg("%s", err.text);
	}
}

/* What the file says as well, or is about nobody in it, changes not a byte. */
static void nothing_to_change(void **state)
{
	static const char yaml[] =
		GATE "pools:\n- name: p\n  backends: [ { address: 10.0.0.1, weight: 3 } ]\n";
	static const char *const words[] = { "",   "+p",          "+p/10.0.0.1*3", "p/10.0.0.1*3",
					     "-q", "-p/10.0.0.2", "q/10.0.0.1*2",  "p/10.0.0.1!d" };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		CLEANUP(amendment_done) struct amendment amendment = amended(yaml, words[i]);

		assert_string_equal(amendment.text, yaml);
		assert_int_equal(amendment.patch.n, 0);
	}
}

static void comments_are_told(void **state)
{
	CLEANUP(amendment_done)
	struct amendment amendment =
		amended(GATE "pools:\n"
			     "  - name: p   # of p\n"
			     "    # more of p\n"
			     "    backends: [ { address: 10.0.0.1 } ] # and more\n"
			     "  # not of p\n"
			     "  - name: q # of q\n"
			     "    backends:\n"
			     "      - address: 10.0.0.2 # two\r\n"
			     "        # of two\n"
			     "      - address: 10.0.0.3",
			"-p -q/10.0.0.2");
	static const unsigned int lines[] = { 3, 4, 5, 9, 10 };

	(void)state;
	assert_int_equal(amendment.n_comments, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(amendment.comments[i].line, lines[i]);
	/* Without its line break. */
	assert_int_equal(amendment.comments[3].end - amendment.comments[3].start, strlen("# two"));
	assert_non_null(strstr(amendment.text, "  # not of p\n"));
}

static void memory_runs_out(void **state)
{
	static const char yaml[] =
		GATE "pools:\n- name: p # one\n  backends: [ { address: 10.0.0.1 } ]\n- name: q\n";
	CLEANUP(model_free_p) struct model *file = layers_file(yaml);
	CLEANUP(overlay_done)
	struct overlay overlay = overlay_of("-p/10.0.0.1 +p/10.0.0.2*2 -q +r +r/10.0.0.3");
	bool failed = true;
	int n;

	(void)state;
	for (n = 0; failed; n++) {
		struct amendment amendment = { .len = 0 };
		struct err err = { "" };
		int r;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = amend(&amendment, file, yaml, strlen(yaml), "t.yaml", &overlay, &err);
		failed = fault_clear(FAULT_MEMORY);
		assert_int_equal(r, failed ? -ENOMEM : 0);
		if (failed)
			assert_string_equal(err.text, "Cannot allocate memory");
		amendment_done(&amendment);
	}
	assert_true(n > 20);
}

#define MANY_POOLS 32
#define MANY_BACKENDS 1000

/* As many as there may be: a line each, or all in one. */
static char *many_of(bool in_lines)
{
	char *yaml = NULL;
	size_t len;
	FILE *out = open_memstream(&yaml, &len);

	fputs(in_lines ? GATE "pools:\n" : GATE "pools: [ ", out);
	for (int i = 0; i < MANY_POOLS; i++) {
		fprintf(out,
			in_lines ? "  - name: p%d # pool\n    backends:\n"
				 : "{ name: p%d, backends: [ ",
			i);
		for (int j = 0; j < MANY_BACKENDS; j++)
			fprintf(out,
				in_lines ? "      - address: 10.%d.%d.%d # backend\n"
					 : "{ address: 10.%d.%d.%d }, ",
				i, j / 250, j % 250 + 1);
		fputs(in_lines ? "" : "] }, ", out);
	}
	fputs(in_lines ? "" : "]\n", out);
	fclose(out);
	return yaml;
}

/* Of each four, one goes and one gets another weight. */
static void change_many(struct overlay *overlay)
{
	for (int i = 0; i < MANY_POOLS; i++)
		for (int j = 0; j < MANY_BACKENDS; j += 2) {
			char pool[8], address[32];

			snprintf(pool, sizeof(pool), "p%d", i);
			snprintf(address, sizeof(address), "10.%d.%d.%d", i, j / 250, j % 250 + 1);
			if (j % 4)
				put(overlay, row_of(pool, address, OVERLAY_REMOVED));
			else
				put_weight(overlay, row_of(pool, address, OVERLAY_AS_FILE), 7);
		}
}

/* Within the time that a test has, which what looks at a whole line for each of its items would not be. */
static void many(void **state)
{
	CLEANUP(overlay_done) struct overlay overlay = { .n = 0 };

	(void)state;
	change_many(&overlay);
	for (int in_lines = 0; in_lines < 2; in_lines++) {
		CLEANUP(free_p) char *yaml = many_of(in_lines);
		CLEANUP(free_p) char *difference = NULL;
		CLEANUP(model_free_p) struct model *file = layers_file(yaml);
		CLEANUP(model_free_p) struct model *after = NULL;
		CLEANUP(amendment_done) struct amendment amendment = { .len = 0 };
		struct err err = { "" };
		size_t len;
		FILE *out = open_memstream(&difference, &len);

		assert_int_equal(
			amend(&amendment, file, yaml, strlen(yaml), "t.yaml", &overlay, &err), 0);
		assert_int_equal(amendment.n_comments,
				 in_lines ? MANY_POOLS * MANY_BACKENDS / 4 : 0);
		after = layers_file(amendment.text);
		assert_int_equal(after->pools[MANY_POOLS - 1].n_backends, MANY_BACKENDS * 3 / 4);
		assert_int_equal(after->pools[MANY_POOLS - 1].backends[0].weight, 7);
		assert_int_equal(patch_print(out, &amendment.patch, yaml, strlen(yaml), "f"), 0);
		fclose(out);
		assert_non_null(strstr(difference, "@@ -"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(styles),
		cmocka_unit_test(refused),
		cmocka_unit_test(nothing_to_change),
		cmocka_unit_test(comments_are_told),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
