// SPDX-License-Identifier: GPL-2.0-or-later
// timeline - what happened, newest first.

import { el, byId, time } from "/text.js";
import { shape } from "/draw.js";

const KEPT = 500;
const SHAPES = { error: "Unhealthy", warning: "Unknown", info: "Healthy" };

export class Timeline {
	events = []; // newest first
	last = null; // the id that the next question goes on from
	busy = false;

	constructor() {
		this.words = byId("event-filter");
		this.kind = byId("event-kind");
		this.words.addEventListener("input", () => this.draw());
		this.kind.addEventListener("change", () => this.draw());
	}

	// What kinds there are, as the daemon has them. The choice stays.
	setKinds(kinds) {
		const chosen = this.kind.value;
		this.kind.replaceChildren(el("option", { value: "" }, "all"), ...kinds.map((kind) => el("option", { value: kind }, kind)));
		this.kind.value = kinds.includes(chosen) ? chosen : "";
	}

	// Once a second, and when something has changed.
	async ask() {
		if (this.busy || document.hidden) return;
		this.busy = true;
		try {
			const answer = await fetch(this.last === null ? "/v1/events?limit=200" : `/v1/events?limit=1000&after=${this.last}`);
			if (answer.ok) this.take(await answer.json());
		} catch {
			// Told by the state of the connection.
		} finally {
			this.busy = false;
		}
	}

	take(page) {
		if (page.events.length) this.events = [...page.events.reverse(), ...this.events].slice(0, KEPT);
		const first = this.last === null;
		this.last = page.more && page.events.length ? page.events[0].id : page.last;
		if (first || page.events.length) this.draw();
	}

	matches(event, words) {
		const text = `${event.kind} ${event.pool ?? ""} ${event.service ?? ""} ${event.endpoint ?? ""} ${event.before ?? ""} ${event.after ?? ""} ${event.reason ?? ""} ${event.text}`.toLowerCase();
		return (!this.kind.value || event.kind === this.kind.value) && words.every((word) => text.includes(word));
	}

	draw() {
		const words = this.words.value.toLowerCase().split(/\s+/).filter(Boolean);
		const items = this.events.filter((event) => this.matches(event, words)).slice(0, 200).map((event) => el("li", {},
			shape(SHAPES[event.severity]), time(event.at), el("span", { class: "kind" }, `${event.severity === "info" ? "" : `${event.severity}: `}${event.kind}`),
			el("span", {}, [event.pool, event.endpoint].filter(Boolean).join(" "), event.pool || event.endpoint ? ": " : "",
				event.before && event.after ? `${event.before} → ${event.after}. ` : "", event.text)));
		byId("timeline").replaceChildren(...(items.length ? items : [el("li", { class: "quiet" }, "No events.")]));
	}
}
