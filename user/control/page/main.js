// SPDX-License-Identifier: GPL-2.0-or-later
// main - what is told goes into the store, and from there onto the page: at most five times a second.

import { byId } from "/text.js";
import { Store } from "/store.js";
import { connect } from "/live.js";
import { List } from "/list.js";
import { Detail } from "/detail.js";
import { Timeline } from "/timeline.js";
import { follow } from "/trails.js";
import * as problems from "/problems.js";
import { drawGateway, drawTotals, drawDrains, draining } from "/gateway.js";

const REDRAW_MS = 200;
const LINK = { connecting: "connecting", live: "live", lost: "no connection: what is shown is old" };

const store = new Store();
const timeline = new Timeline();
let due = null;
let redrawn = 0;

const list = new List(store, (row) => detail.open(row));
const detail = new Detail(store, list.trails, () => list.box.focus());

function show(row) {
	list.show(row);
	detail.open(row);
}

function redraw() {
	due = null;
	redrawn = performance.now();
	store.stamp = redrawn;
	list.refresh();
	problems.draw(store, show);
	drawDrains(store, list.trails);
}

// At once if it has been quiet, else when it is time again.
function later() {
	due ??= setTimeout(redraw, Math.max(0, redrawn + REDRAW_MS - performance.now()));
}

const askTrails = follow(store, () => [...(detail.row ? [detail.row.key] : []), ...draining(store).map((row) => row.key), ...list.inSight()],
	(trails) => list.takeTrails(trails));

connect({
	outline: (data) => {
		store.outline(data);
		timeline.setKinds(data.event_kinds);
		list.trails.clear();
		later();
	},
	rows: (rows) => {
		store.rows(rows);
		later();
	},
	complete: () => {
		if (!store.complete) setTimeout(askTrails, REDRAW_MS);
		store.complete = true;
		timeline.ask();
		later();
	},
	status: (status) => {
		store.status = status;
		drawTotals(status);
		drawGateway(status);
		problems.draw(store, show);
		drawDrains(store, list.trails);
		timeline.ask();
		list.tick();
	},
	link: (state) => {
		byId("link").textContent = LINK[state];
		byId("link").className = state;
	},
});

function refilter() {
	list.filter(byId("filter").value, new Set([...byId("states").querySelectorAll("input:checked")].map((input) => input.value)));
}
byId("filter").addEventListener("input", refilter);
byId("states").addEventListener("change", refilter);

addEventListener("keydown", (event) => {
	const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
	if (event.ctrlKey || event.altKey || event.metaKey) return;
	if (event.key === "Escape") {
		if (detail.row) detail.close();
		else if (typing) list.box.focus();
	} else if (event.key === "/" && !typing) {
		byId("filter").focus();
		event.preventDefault();
	} else if (event.key === "n" && !typing) {
		list.nextProblem();
	}
});
