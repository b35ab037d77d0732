// SPDX-License-Identifier: GPL-2.0-or-later
// text - elements and words. Whatever is shown goes through here as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes ?? {})) {
		if (value === undefined || value === null || value === false) continue;
		node.setAttribute(name, value === true ? "" : String(value));
	}
	// append() takes strings as text.
	node.append(...children.flat().filter((child) => child !== null && child !== undefined));
	return node;
}

export const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
export const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);
export const byId = (id) => document.getElementById(id);

// "10.0.0.5:443", "[fd00::5]:443"
export function place(row) {
	return row.address.includes(":") ? `[${row.address}]:${row.port}` : `${row.address}:${row.port}`;
}

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

// Two units at most: "3 d 4 h".
export function span(ms) {
	let s = Math.max(0, Math.floor(ms / 1000));
	const parts = [];
	for (const [size, unit] of UNITS) {
		if (s >= size || (unit === "s" && parts.length === 0)) {
			parts.push(`${Math.floor(s / size)} ${unit}`);
			s %= size;
			if (parts.length === 2) break;
		} else if (parts.length) {
			break;
		}
	}
	return parts.join(" ");
}

export function duration(us) {
	if (us < 1000) return `${us} µs`;
	if (us < 1000000) return `${(us / 1000).toFixed(us < 10000 ? 1 : 0)} ms`;
	return `${(us / 1000000).toFixed(1)} s`;
}

export const number = (n) => n.toLocaleString("en");
export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

// Local time of day, and the day unless it is today.
export function moment(iso) {
	const at = new Date(iso);
	const time = at.toLocaleTimeString("en-GB");
	return at.toDateString() === new Date().toDateString() ? time : `${at.toLocaleDateString("en-CA")} ${time}`;
}

export const time = (iso) => el("time", { datetime: iso, title: iso }, moment(iso));

// What lies ahead or behind: "in 12 d 3 h", "3 h ago".
export function distance(iso) {
	const ms = new Date(iso) - Date.now();
	return ms >= 0 ? `in ${span(ms)}` : `${span(-ms)} ago`;
}
