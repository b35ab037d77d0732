// SPDX-License-Identifier: GPL-2.0-or-later
// draw - states as shapes, and the little curves. A state is told by its shape and its word; its color adds to that.

import { svg, el, duration } from "/text.js";

const SHAPES = {
	Healthy: "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M4.8 8.2l2.2 2.3l4.2-4.6",
	Unhealthy: "M1.5 1.5h13v13h-13zM5 5l6 6M11 5l-6 6",
	Unknown: "M8 1l7 7l-7 7l-7-7zM8 4.6v4M8 10.6v1",
	draining: "M2 3h12l-5 6v5l-2-1.5v-3.5z",
	disabled: "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M4.5 8h7",
};

export function shape(state) {
	const path = SHAPES[state] ?? SHAPES.Unknown;
	return svg("svg", { class: `shape ${state}`, viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: path }));
}

// "Unhealthy" with its shape, and what an operator said of it.
export function standing(row) {
	const words = [row.health];
	if (row.admin !== "enabled") words.push(row.admin);
	if (row.forced) words.push("kept open");
	if (row.gate) words.push(`gate: ${row.gate}`);
	if (row.suspected) words.push("suspected");
	if (row.disagrees) words.push("clients disagree");
	return el("span", { class: "standing" }, shape(row.health),
		row.admin !== "enabled" ? shape(row.admin) : null, words.join(", "));
}

const STEP = 4, HIGH = 18;

/*
 * The last probes, oldest at the left: the time of each handshake as the height of a bar; one that failed is a bar of
 * full height, cut through, so that it is told from a slow one without its color.
 */
export function sparkline(trail, slots = 24) {
	const n = Math.min(trail.passed.length, slots);
	const most = Math.max(1, ...trail.took_us.slice(0, n).filter((_, i) => trail.passed[i]));
	const failed = trail.passed.slice(0, n).filter((passed) => !passed).length;
	const newest = n ? (trail.passed[0] ? duration(trail.took_us[0]) : "failed") : "none";
	const slowest = failed < n ? `; slowest that passed ${duration(most)}` : "";
	const label = n ? `last ${n} probes: ${failed} failed; newest ${newest}${slowest}` : "no probes yet";
	const node = svg("svg", { class: "spark", role: "img", "aria-label": label, viewBox: `0 0 ${slots * STEP} ${HIGH}` },
		svg("title", {}, label));
	for (let i = 0; i < n; i++) {
		const x = (slots - 1 - i) * STEP;
		if (trail.passed[i]) {
			const high = Math.max(2, Math.round((trail.took_us[i] / most) * HIGH));
			node.append(svg("rect", { class: "passed", x, y: HIGH - high, width: STEP - 1, height: high }));
		} else {
			node.append(svg("rect", { class: "failed", x, y: 0, width: STEP - 1, height: 7 }),
				svg("rect", { class: "failed", x, y: 11, width: STEP - 1, height: 7 }));
		}
	}
	return node;
}

// How full something is, with the numbers beside it.
export function meter(label, entries, max) {
	const part = max ? entries / max : 0;
	const bar = svg("svg", { class: part > 0.9 ? "meter full" : "meter", viewBox: "0 0 100 8", preserveAspectRatio: "none",
		"aria-hidden": "true" },
	svg("rect", { class: "room", width: 100, height: 8 }),
	svg("rect", { class: "used", width: Math.round(part * 100), height: 8 }));
	return el("div", { class: "fill" }, el("span", {}, label), bar,
		el("span", {}, `${entries.toLocaleString("en")} of ${max.toLocaleString("en")} (${(part * 100).toFixed(part < 0.1 ? 1 : 0)}%)`));
}
