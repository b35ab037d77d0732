// SPDX-License-Identifier: GPL-2.0-or-later
// detail - one endpoint in full: verdict, evidence, last probes, plan and certificates.

import { el, byId, place, span, duration, number, time, distance } from "/text.js";
import { standing, shape, sparkline } from "/draw.js";

const PERIOD_MS = 1000;
const STAGES = [["resolve", "Resolve"], ["connect", "Connect"], ["tls", "TLS"], ["first_byte", "First byte"], ["total", "Total"]];

const EVIDENCE = [
	["attempts", "connections that clients tried"], ["syn_ack", "answered"], ["refused", "refused by the endpoint"],
	["unreachable", "unreachable by ICMP"], ["unanswered", "never answered"], ["reset_endpoint", "reset by the endpoint"],
	["syn", "new flows judged"], ["packets", "packets"], ["bytes", "bytes"], ["rejected", "refused by the gate"],
	["dropped", "dropped by the gate"], ["reset", "open flows reset"], ["limited", "beyond the reply limit"], ["replies", "packets back"],
];

const part = (title, ...content) => content.flat().some(Boolean) ? el("section", {}, el("h3", {}, title), ...content) : null;
const bullets = (texts) => texts?.length ? el("ul", {}, ...texts.map((text) => el("li", {}, text))) : null;
const facts = (pairs) => pairs.length ? el("dl", { class: "facts" }, ...pairs.map(([name, value]) =>
	el("div", { class: "fact" }, el("dt", {}, name), el("dd", {}, value)))) : null;

function table(caption, heads, rows) {
	if (!rows.length) return null;
	return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption }, el("table", {}, el("caption", {}, caption),
		el("thead", {}, el("tr", {}, ...heads.map((text) => el("th", { scope: "col" }, text)))), el("tbody", {}, ...rows)));
}

function evidence(end) {
	const kernel = end.kernel;
	if (!kernel) return null;
	const pairs = EVIDENCE.filter(([key]) => kernel[key] !== undefined).map(([key, text]) => [text, number(kernel[key])]);
	if (kernel.handshake_us) pairs.push(["clients' handshakes", `half within ${duration(kernel.handshake_us.p50)}, 99 of 100 within ${duration(kernel.handshake_us.p99)}`]);
	const lately = end.lately;
	return [facts(pairs), lately ? el("p", {}, `In the last ${span(lately.window_ms)}: ${lately.answered} answered, ${lately.refused} refused, ${lately.unreachable} unreachable, ${lately.unanswered} unanswered.`) : null,
		end.disagreement ? el("p", { class: "notice" }, `${end.disagreement.text} ${end.disagreement.meaning}`) : null,
		end.disagreement ? bullets(end.disagreement.remedies) : null];
}

function probes(end) {
	return table("The last probes", ["When", "Verdict", "Ended at", ...STAGES.map(([, text]) => text)], (end.recent ?? []).map((probe) =>
		el("tr", {}, el("td", {}, time(probe.at)), el("td", { class: "wide" }, shape(probe.id === "ok" ? "Healthy" : "Unhealthy"), `${probe.id}: ${probe.message}`),
			el("td", {}, probe.stage), ...STAGES.map(([key]) => el("td", { class: "number" }, probe.timing_us[key] === undefined ? "–" : duration(probe.timing_us[key]))))));
}

function certificates(end) {
	if (!end.chain) return null;
	if (!end.chain.length) return el("p", {}, "The newest probe saw no certificate.");
	return el("ol", { class: "chain" }, ...end.chain.map((cert) => el("li", {}, el("strong", {}, cert.subject || "(no subject)"), facts([
		["Issuer", cert.self_signed ? `${cert.issuer} (itself)` : cert.issuer], ["Names", cert.san.join(", ") || "none"],
		["Valid", `${cert.not_before ?? "?"} to ${cert.not_after ?? "?"}${cert.not_after ? ` (ends ${distance(cert.not_after)})` : ""}`],
		["Key", `${cert.key}, ${cert.signature}`], ["Serial", cert.serial], ["SHA-256", cert.sha256]]))));
}

function flat(plan, lead = "") {
	return Object.entries(plan).flatMap(([key, value]) => value && typeof value === "object" && !Array.isArray(value)
		? flat(value, `${lead}${key}.`) : [[`${lead}${key}`, String(value)]]);
}

export class Detail {
	row = null;

	constructor(store, trails, closed) {
		this.store = store;
		this.trails = trails;
		this.closed = closed;
		this.part = byId("detail");
		byId("close").addEventListener("click", () => this.close());
		setInterval(() => this.ask(), PERIOD_MS);
	}

	open(row) {
		this.row = row;
		this.shown = null;
		this.part.hidden = false;
		byId("detail-title").textContent = place(row);
		byId("detail-body").replaceChildren(el("p", {}, "…"));
		this.part.focus();
		this.part.scrollIntoView({ block: "nearest" });
		this.ask();
	}

	close() {
		if (!this.row) return;
		this.row = null;
		this.part.hidden = true;
		this.closed();
	}

	async ask() {
		const row = this.row;
		const service = row && this.store.services.get(row.service);
		if (!row || document.hidden) return;
		if (!service) return this.close();
		// A name that does not resolve has no address; it is asked for as it is.
		const address = row.address === row.backend && !/^[\d.]+$|:/.test(row.address) ? row.address : place(row);
		try {
			const answer = await fetch(`/v1/why?${new URLSearchParams({ pool: service.pool, address })}`);
			const data = await answer.json();
			if (this.row !== row) return;
			if (!answer.ok) return this.draw(null, data.error?.message ?? "no answer");
			this.draw(data.endpoints.find((end) => end.service === service.name && end.port === row.port) ?? data.endpoints[0]);
		} catch {
			// Told by the state of the connection; what was shown stays.
		}
	}

	draw(end, trouble) {
		if (trouble) return byId("detail-body").replaceChildren(el("p", { class: "notice" }, trouble));
		const trail = this.trails.get(this.row.key);
		byId("detail-body").replaceChildren(...[
			el("p", {}, standing(end), ` for ${span(Date.now() - new Date(end.since))}, since `, time(end.since), ` in ${this.store.services.get(this.row.service)?.pool} / ${end.service}`),
			el("p", { id: "detail-message" }, end.message),
			el("p", {}, end.finding),
			bullets(end.notes),
			part("What may be the cause", bullets(end.causes)),
			part("What to do", bullets(end.remedies)),
			part("What traffic shows", evidence(end)),
			part("Probes", trail ? sparkline(trail) : null, probes(end)),
			part("Certificates", certificates(end)),
			part("What the probe does", facts(flat(end.plan))),
		].filter(Boolean));
	}
}
