// SPDX-License-Identifier: GPL-2.0-or-later
// gateway - the daemon, its interfaces and maps; and who drains.

import { el, byId, place, plural, span, time, number } from "/text.js";
import { shape, meter } from "/draw.js";

function fact(name, ...value) {
	return el("div", { class: "fact" }, el("dt", {}, name), el("dd", {}, ...value));
}

const times = (n) => ["never", "once"][n] ?? `${number(n)} times`;

// One that is not attached says why, and not how it was.
function interfaceRow(item) {
	const attached = item.state === "attached";
	const why = attached ? item.steps.join("; ") : item.why;
	return el("tr", {},
		el("th", { scope: "row" }, item.name),
		el("td", {}, shape(attached ? "Healthy" : "Unhealthy"), item.state),
		el("td", {}, time(item.since)),
		el("td", { class: "number" }, times(item.returns)),
		el("td", {}, attached ? item.ingress : "–"), el("td", {}, attached ? item.egress : "–"),
		el("td", { class: attached ? "wide quiet" : "wide" }, why));
}

function interfaces(items) {
	if (!items.length) return el("p", { class: "notice" }, "No interface is attached.");
	return el("table", {}, el("caption", {}, "Interfaces"),
		el("thead", {}, el("tr", {}, ...["Interface", "State", "Since", "Came back", "In", "Out", "Why"].map((text) => el("th", { scope: "col" }, text)))),
		el("tbody", {}, ...items.map(interfaceRow)));
}

function configuration(status) {
	const changes = status.runtime_changes;
	return `${status.config}, version ${status.config_version}${changes ? `, and ${plural(changes, "change")} at runtime` : ""}`;
}

export function drawGateway(status) {
	const engine = status.engine;
	byId("gateway").replaceChildren(
		el("dl", { class: "facts" },
			fact("Heartbeat", el("span", { id: "heartbeat" }, `${number(status.heartbeat_ms_ago)} ms ago`)),
			fact("Mode", status.mode),
			fact("When the daemon is lost", `${status.on_daemon_loss}, after ${span(status.daemon_loss_after_ms)}`),
			fact("Gate", status.in_force ? "in force" : "removed"),
			fact("Version", `${status.version}, pid ${status.pid}`),
			fact("Running since", time(status.since)),
			fact("Configuration", configuration(status)),
			fact("Prober", `${plural(engine.workers, "worker")}, ${engine.in_flight} of ${engine.in_flight_max} probes under way, ${number(engine.finished)} done`),
			fact("Events", `${number(status.events.kept)} kept${status.events.lost ? `, ${status.events.lost} lost` : ""}`)),
		el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Interfaces" }, interfaces(status.interfaces)),
		el("h3", {}, "Maps"),
		...Object.entries(status.fills).filter(([, fill]) => fill.max).map(([name, fill]) => meter(name, fill.entries, fill.max)));
}

export function drawTotals(status) {
	const { healthy, unhealthy, unknown, endpoints, pools, services } = status.totals;
	byId("totals").replaceChildren(...[["Healthy", healthy], ["Unhealthy", unhealthy], ["Unknown", unknown]].map(([state, n]) =>
		el("span", { class: "count" }, shape(state), `${number(n)} ${state}`)),
	el("span", { class: "quiet" }, `${plural(endpoints, "endpoint")} in ${plural(services, "service")}, ${plural(pools, "pool")}`));
}

const DRAINS = 50; // that are listed, and asked about

export function draining(store) {
	const rows = [];
	for (const row of store.notable.values()) {
		if (row.admin !== "draining") continue;
		rows.push(row);
		if (rows.length === DRAINS) break;
	}
	return rows;
}

export function drawDrains(store, trails) {
	const rows = draining(store);
	byId("drains").hidden = rows.length === 0;
	byId("drain-list").replaceChildren(...rows.map((row) => {
		const drain = trails.get(row.key)?.drain ?? row.drain ?? {};
		const flows = drain.flows === undefined ? "flows not counted: the gate alone stands before it" : `${plural(drain.flows, "flow")} left`;
		const left = row.drain?.left_ms === undefined ? "no deadline" : `${span(row.drain.left_ms - (Date.now() - row.at))} left`;
		return el("li", {}, shape("draining"), el("span", {}, `${place(row)} of ${store.services.get(row.service).pool}: ${flows}, ${left}`));
	}));
}
