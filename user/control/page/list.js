// SPDX-License-Identifier: GPL-2.0-or-later
// list - pools, services and endpoints as a tree, of which only what is in sight is drawn.

import { el, byId, place, plural, span, distance } from "/text.js";
import { standing, shape, sparkline } from "/draw.js";
import { tally } from "/store.js";

const SPARE = 6; // lines drawn beyond each edge
const SPARE_MAX = 100;
const SOON_MS = 30 * 86400000;

// An endpoint's line without its texts: it becomes another's when the list is scrolled.
function makeRow() {
	const parts = {};
	for (const name of ["state", "place", "since", "trail", "message", "end"]) parts[name] = el("span", { class: name });
	const node = el("div", { class: "line level3", role: "treeitem", "aria-level": 3 }, ...Object.values(parts));
	node.parts = parts;
	return node;
}

function setText(node, text) {
	if (node.textContent !== text) node.textContent = text;
}

// What the message says beyond the address, which the line has.
function reason(row) {
	const lead = `${place(row)} `;
	return row.message.startsWith(lead) ? row.message.slice(lead.length) : row.message;
}

function counts(rows) {
	const count = tally(rows);
	const parts = Object.entries(count).filter(([, n]) => n).map(([state, n]) => el("span", { class: "count" }, shape(state), `${n} ${state}`));
	return el("span", { class: "counts" }, ...(parts.length ? parts : ["no endpoints"]));
}

function expiry(row) {
	if (!row.cert_not_after) return null;
	const left = new Date(row.cert_not_after) - Date.now();
	const word = left < 0 ? "certificate expired" : "certificate ends";
	return el("span", { class: left < SOON_MS ? "expiry soon" : "expiry", title: row.cert_not_after },
		`${left < SOON_MS ? "! " : ""}${word} ${distance(row.cert_not_after)}`);
}

export class List {
	lines = []; // { key, level, row | pool | service, setsize, posinset }
	drawn = new Map(); // key → { node, of }
	spare = []; // nodes of endpoints that are out of sight: those that come into it get them
	folded = new Set();
	trails = new Map(); // key → the last one told
	active = null;
	words = [];
	states = new Set(["Healthy", "Unhealthy", "Unknown"]);

	constructor(store, open) {
		this.store = store;
		this.open = open;
		this.box = byId("endpoints");
		this.space = byId("space");
		this.box.addEventListener("scroll", () => this.later(), { passive: true });
		// Where lines are of another height, the list is of another width.
		new ResizeObserver(() => this.measure()).observe(this.box);
		this.measure();
		this.box.addEventListener("keydown", (event) => this.onKey(event));
		this.box.addEventListener("focus", () => this.activate(this.active ?? this.lines[0]?.key));
		this.space.addEventListener("click", (event) => {
			const key = event.target.closest?.("[data-key]")?.dataset.key;
			if (!key) return;
			this.activate(key);
			this.enter();
		});
	}

	measure() {
		const style = getComputedStyle(this.space);
		this.high = ["--line1", "--line2", "--line3"].map((name) => Number.parseFloat(style.getPropertyValue(name)));
		this.layOut();
		this.later();
	}

	// Where each line begins, and the last one ends.
	layOut() {
		this.tops = new Float64Array(this.lines.length + 1);
		this.lines.forEach((line, i) => (this.tops[i + 1] = this.tops[i] + this.high[line.level - 1]));
	}

	// The line at a height.
	lineAt(y) {
		let from = 0, to = this.lines.length;
		while (from < to) {
			const middle = (from + to) >> 1;
			if (this.tops[middle + 1] <= y) from = middle + 1;
			else to = middle;
		}
		return from;
	}

	filter(text, states) {
		this.words = text.toLowerCase().split(/\s+/).filter(Boolean);
		this.states = states;
		this.refresh();
	}

	matches(row) {
		return this.states.has(row.health) && this.words.every((word) => row.words.includes(word));
	}

	// All lines anew, from what the store has.
	refresh() {
		const lines = [];
		let shown = 0, all = 0;
		const filtered = this.words.length > 0 || this.states.size < 3;
		this.store.pools.forEach((pool) => {
			const head = { key: `p:${pool.name}`, level: 1, pool, setsize: this.store.pools.length };
			const below = [];
			for (const service of pool.services) {
				const rows = service.rows.filter((row) => row && this.matches(row));
				all += service.count;
				shown += rows.length;
				if (filtered && rows.length === 0) continue;
				const line = { key: `s:${service.service}`, level: 2, service, setsize: pool.services.length };
				below.push(line);
				if (this.folded.has(line.key)) continue;
				rows.forEach((row, i) => below.push({ key: row.key, level: 3, row, setsize: rows.length, posinset: i + 1 }));
			}
			if (filtered && below.length === 0) return;
			lines.push(head);
			if (!this.folded.has(head.key)) for (const line of below) lines.push(line);
		});
		this.lines = lines;
		this.index = new Map(lines.map((line, i) => [line.key, i]));
		if (!this.index.has(this.active)) this.active = null;
		this.layOut();
		byId("shown").textContent = filtered ? `${shown} of ${plural(all, "endpoint")}` : plural(all, "endpoint");
		this.later();
	}

	later() {
		this.frame ??= requestAnimationFrame(() => {
			this.frame = null;
			this.draw();
		});
	}

	draw() {
		const from = Math.max(0, this.lineAt(this.box.scrollTop) - SPARE);
		const to = Math.min(this.lines.length, this.lineAt(this.box.scrollTop + this.box.clientHeight) + 1 + SPARE);
		const wanted = new Map(), all = this.tops[this.lines.length];
		this.space.style.height = `${all}px`;
		this.box.style.setProperty("--content", `${Math.max(3 * this.high[2], all) + 2}px`);
		for (let i = from; i < to; i++) wanted.set(this.lines[i].key, i);
		for (const [key, { node }] of this.drawn) {
			if (wanted.has(key)) continue;
			node.remove();
			this.drawn.delete(key);
			if (node.parts && this.spare.length < SPARE_MAX) this.spare.push(node);
		}
		let before = null;
		for (const [key, i] of wanted) {
			const node = this.nodeOf(key, this.lines[i]);
			node.style.transform = `translateY(${this.tops[i]}px)`;
			// In the order of the lines, for those who read the tree and not the picture.
			if (before ? before.nextSibling !== node : this.space.firstChild !== node) this.space.insertBefore(node, before ? before.nextSibling : this.space.firstChild);
			before = node;
		}
		this.mark();
	}

	nodeOf(key, line) {
		const was = this.drawn.get(key);
		const of = line.row ?? line.service?.rows ?? line.pool;
		const stamp = line.row ? line.row.at : this.store.stamp;
		if (was && was.of === of && was.stamp === stamp && was.folded === this.folded.has(key)) return was.node;
		const node = line.row ? this.fillRow(was?.node ?? this.spare.pop() ?? makeRow(), line) : this.make(line);
		if (was && was.node !== node) was.node.replaceWith(node);
		this.drawn.set(key, { node, of, stamp, folded: this.folded.has(key) });
		return node;
	}

	make(line) {
		const node = el("div", { class: `line level${line.level}`, role: "treeitem", id: `line-${line.key}`, "data-key": line.key,
			"aria-level": line.level, "aria-setsize": line.setsize, "aria-posinset": line.posinset });
		if (line.service) this.fillService(node, line.service, line.key);
		else this.fillPool(node, line.pool, line.key);
		return node;
	}

	fillGroup(node, key, ...children) {
		const folded = this.folded.has(key);
		node.setAttribute("aria-expanded", String(!folded));
		node.append(el("span", { class: "fold", "aria-hidden": "true" }, folded ? "▸" : "▾"), ...children);
	}

	fillPool(node, pool, key) {
		this.fillGroup(node, key, el("strong", {}, pool.name), counts(pool.services.flatMap((service) => service.rows)));
	}

	fillService(node, service, key) {
		const way = service.listen ? `${service.listen} → ${service.forward}` : `unhealthy: ${service.on_unhealthy}`;
		this.fillGroup(node, key, el("b", {}, service.name), counts(service.rows),
			el("span", { class: "quiet" }, `${service.settings}, ${service.protocol} ${service.port}, ${way}`));
	}

	fillRow(node, line) {
		const row = line.row;
		const { state, place: where, since, trail, message, end } = node.parts;
		const words = [row.health, row.admin, row.forced, row.gate, row.suspected, row.disagrees].join();
		node.id = `line-${row.key}`;
		node.dataset.key = row.key;
		node.setAttribute("aria-setsize", line.setsize);
		node.setAttribute("aria-posinset", line.posinset);
		if (node.words !== words) state.replaceChildren(standing(row));
		node.words = words;
		if (row.backend === row.address) setText(where, place(row));
		else where.replaceChildren(place(row), el("span", { class: "quiet" }, row.backend));
		since.title = row.since;
		setText(since, span(Date.now() - new Date(row.since)));
		const told = this.trails.get(row.key);
		trail.replaceChildren(...(told ? [sparkline(told)] : []));
		setText(message, reason(row));
		message.title = row.message;
		end.replaceChildren(...[expiry(row)].filter(Boolean));
		return node;
	}

	mark() {
		for (const [key, { node }] of this.drawn) {
			node.classList.toggle("active", key === this.active);
			if (key === this.active) node.setAttribute("aria-selected", "true");
			else node.removeAttribute("aria-selected");
		}
		if (this.active && this.drawn.has(this.active)) this.box.setAttribute("aria-activedescendant", `line-${this.active}`);
		else this.box.removeAttribute("aria-activedescendant");
	}

	activate(key) {
		const i = this.index?.get(key);
		if (i === undefined) return;
		this.active = key;
		if (this.tops[i] < this.box.scrollTop) this.box.scrollTop = this.tops[i];
		if (this.tops[i + 1] > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = this.tops[i + 1] - this.box.clientHeight;
		this.draw();
	}

	// An endpoint that may be folded away or filtered out: bring it into sight.
	show(row) {
		const service = this.store.services.get(row.service);
		this.folded.delete(`p:${service.pool}`);
		this.folded.delete(`s:${service.service}`);
		this.refresh();
		this.activate(row.key);
	}

	fold(key, folded) {
		if (folded) this.folded.add(key);
		else this.folded.delete(key);
		this.refresh();
		this.draw();
	}

	enter() {
		const line = this.lines[this.index.get(this.active)];
		if (line?.row) this.open(line.row);
		else if (line) this.fold(line.key, !this.folded.has(line.key));
	}

	nextProblem() {
		const start = (this.index?.get(this.active) ?? -1) + 1;
		for (let n = 0; n < this.lines.length; n++) {
			const line = this.lines[(start + n) % this.lines.length];
			if (line.row && line.row.health !== "Healthy") {
				this.box.focus();
				this.activate(line.key);
				return;
			}
		}
	}

	move(by) {
		const at = this.index?.get(this.active) ?? 0;
		this.activate(this.lines[Math.min(this.lines.length - 1, Math.max(0, at + by))]?.key);
	}

	side(folded) {
		const at = this.index?.get(this.active);
		const line = this.lines[at];
		if (!line) return;
		if (!line.row && this.folded.has(line.key) !== folded) this.fold(line.key, folded);
		else if (folded) for (let i = at; i >= 0; i--) {
			if (this.lines[i].level < line.level) {
				this.activate(this.lines[i].key);
				break;
			}
		} else this.move(1);
	}

	onKey(event) {
		const page = Math.max(1, Math.floor(this.box.clientHeight / this.high[2]) - 1);
		const keys = {
			ArrowDown: () => this.move(1), ArrowUp: () => this.move(-1), PageDown: () => this.move(page), PageUp: () => this.move(-page),
			Home: () => this.move(-Infinity), End: () => this.move(Infinity), ArrowLeft: () => this.side(true), ArrowRight: () => this.side(false),
			Enter: () => this.enter(), " ": () => this.enter(),
		};
		if (!keys[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
		keys[event.key]();
		event.preventDefault();
	}

	// Endpoints that are in sight now.
	inSight() {
		return [...this.drawn.keys()].filter((key) => this.lines[this.index.get(key)]?.row);
	}

	takeTrails(trails) {
		for (const trail of trails) {
			const key = `${trail.service}.${trail.member}`;
			this.trails.set(key, trail);
			this.drawn.get(key)?.node.querySelector(".trail")?.replaceChildren(sparkline(trail));
		}
	}

	// Ages grow without anything being told.
	tick() {
		for (const [key, { node }] of this.drawn) {
			const row = this.lines[this.index.get(key)]?.row;
			if (row) node.querySelector(".since").textContent = span(Date.now() - new Date(row.since));
		}
	}
}
