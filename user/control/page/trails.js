// SPDX-License-Identifier: GPL-2.0-or-later
// trails - how the last probes went, and how far drains are: asked for what is in sight, every two seconds.

const PERIOD_MS = 2000;
const MOST = 128; // of one request

export function follow(store, wanted, take) {
	let busy = false;

	async function ask() {
		const keys = wanted().slice(0, MOST);
		if (busy || document.hidden || !store.generation || keys.length === 0) return;
		busy = true;
		try {
			const answer = await fetch(`/v1/trails?generation=${store.generation}&of=${keys.join(",")}`);
			if (answer.ok) take((await answer.json()).trails);
		} catch {
			// The connection's state is told elsewhere, and the next try is near.
		} finally {
			busy = false;
		}
	}
	setInterval(ask, PERIOD_MS);
	return ask;
}
