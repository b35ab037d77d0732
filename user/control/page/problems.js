// SPDX-License-Identifier: GPL-2.0-or-later
// problems - what is wrong now: one line for each cause, the gravest first.

import { el, byId, place, plural, span, moment, distance } from "/text.js";
import { shape } from "/draw.js";

const NAMED = 3; // endpoints that a line names
const SHOWN = 12; // lines
const SOON_MS = 30 * 86400000;
const LATE_MS = 3000; // of a heartbeat that comes every second
const FULL = 0.9;

function named(rows) {
	const names = rows.slice(0, NAMED).map(place).join(", ");
	return rows.length > NAMED ? `${names} and ${rows.length - NAMED} more` : names;
}

// Endpoints of a service that suffer from the same.
function groups(store, kind, pick) {
	const found = new Map();
	for (const row of store.notable.values()) {
		const id = pick(row);
		if (!id) continue;
		const key = `${row.service} ${id}`;
		if (!found.has(key)) found.set(key, { kind, id, service: store.services.get(row.service), rows: [] });
		found.get(key).rows.push(row);
	}
	return [...found.values()];
}

function ofEndpoints(store) {
	const lines = [];
	const line = (weight, state, group, text) => lines.push({ weight, state, text, row: group.rows[0] });
	const where = (group) => `${group.service.pool} / ${group.service.name}`;
	// Not how long: a line that changes every second is read out every second.
	const since = (group) => moment(group.rows.map((row) => row.since).sort()[0]);

	for (const group of groups(store, "health", (row) => row.health !== "Healthy" && `${row.health} ${row.id}`)) {
		const all = group.service.count;
		const healthy = group.service.rows.some((row) => row.health === "Healthy");
		const { health, id, message } = group.rows[0];
		const what = group.rows.length === 1 ? message : `${id}, ${named(group.rows)}: ${message}`;
		line(health === "Unhealthy" ? (healthy ? 3 : 5) : 2, health, group,
			`${where(group)}: ${group.rows.length} of ${plural(all, "endpoint")} ${health}${healthy ? "" : ", none is Healthy"}, since ${since(group)}. ${what}`);
	}
	for (const group of groups(store, "disagrees", (row) => row.health === "Healthy" && row.disagrees))
		line(4, "Unknown", group, `${where(group)}: clients fail where probes succeed (${group.id}): ${named(group.rows)}`);
	for (const group of groups(store, "forced", (row) => row.forced && "forced"))
		line(3, "Unhealthy", group, `${where(group)}: kept open although Unhealthy (min_servers): ${named(group.rows)}`);
	for (const group of groups(store, "certificate", (row) => row.cert_not_after && new Date(row.cert_not_after) - Date.now() < SOON_MS && row.cert_not_after)) {
		const late = new Date(group.id) < Date.now();
		line(late ? 3 : 1, "Unknown", group, `${where(group)}: certificate ${late ? "expired" : "expires"} ${distance(group.id)}: ${named(group.rows)}`);
	}
	return lines;
}

function ofGateway(status) {
	const lines = [];
	const line = (weight, text) => lines.push({ weight, state: weight > 3 ? "Unhealthy" : "Unknown", text });

	if (!status) return lines;
	if (status.heartbeat_ms_ago > LATE_MS) line(6, `The daemon's heartbeat is ${span(status.heartbeat_ms_ago)} old.`);
	if (status.mode === "observe") line(1, "Mode observe: packets are judged and counted, and nothing is refused.");
	if (!status.in_force) line(6, "The gate is not in force: its programs were removed.");
	else if (!status.interfaces.length) line(6, "Nothing is guarded: no interface is attached.");
	for (const item of status.interfaces)
		if (item.state !== "attached") line(5, `Interface ${item.name} is not guarded, since ${moment(item.since)}: ${item.why}`);
	if (status.degraded) line(5, `The gate is degraded: ${status.degraded}`);
	if (status.in_force && !status.pinned) line(4, "The gate is not pinned: it ends with the daemon.");
	for (const [name, fill] of Object.entries(status.fills))
		if (fill.max && fill.entries / fill.max > FULL) line(4, `Map ${name} is ${Math.round((fill.entries / fill.max) * 100)}% full.`);
	if (status.engine.overloaded_now) line(4, `The prober has more to do than it can; it could hold an interval of ${span(status.engine.holdable_interval_ms ?? 0)}.`);
	if (status.reload?.state === "refused") line(3, "The last reload was refused: the configuration before it is in force.");
	if (status.names?.failed) line(3, `${plural(status.names.failed, "DNS name")} cannot be resolved: ${status.names.failing.slice(0, NAMED).map((name) => name.name).join(", ")}`);
	if (!status.events.usable) line(2, `Events are kept in memory alone: ${status.events.why ?? ""}`);
	if (status.events.lost) line(2, `${plural(status.events.lost, "event")} lost.`);
	return lines;
}

export function draw(store, show) {
	const lines = [...ofGateway(store.status), ...ofEndpoints(store)].sort((a, b) => b.weight - a.weight);
	const list = byId("problems");
	const items = lines.slice(0, SHOWN).map((line) => {
		const content = [shape(line.state), el("span", { title: line.text }, line.text)];
		if (!line.row) return el("li", {}, el("span", { class: "problem" }, ...content));
		const button = el("button", { type: "button", class: "problem" }, ...content);
		button.addEventListener("click", () => show(line.row));
		return el("li", {}, button);
	});
	if (lines.length > SHOWN) items.push(el("li", { class: "quiet" }, `and ${plural(lines.length - SHOWN, "other")}, below`));
	if (!lines.length) items.push(el("li", {}, el("span", { class: "problem" }, shape(store.complete ? "Healthy" : "Unknown"), store.complete ? "Nothing." : "Not known yet.")));
	// What has not changed stays, so that focus stays, and nobody is told of it again.
	items.forEach((item, i) => {
		const was = list.children[i];
		if (!was) list.append(item);
		else if (was.textContent !== item.textContent) {
			const focused = was.contains(document.activeElement);
			was.replaceWith(item);
			if (focused) item.querySelector("button")?.focus();
		}
	});
	while (list.children.length > items.length) list.lastChild.remove();
	const worst = lines[0]?.weight ?? 0;
	document.title = worst >= 2 ? `(${lines.length}) Backend health` : "Backend health";
}
