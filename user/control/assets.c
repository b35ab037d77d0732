// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/assets.h"

#include <string.h>

#define HTML "text/html; charset=utf-8"
#define CSS "text/css; charset=utf-8"
#define MODULE "text/javascript; charset=utf-8"
#define SVG "image/svg+xml"

/* X(symbol, path, file in page/, type). The page is at the root. */
#define ASSETS(X)                                          \
	X(index, "/", "index.html", HTML)                  \
	X(style, "/page.css", "page.css", CSS)             \
	X(icon, "/icon.svg", "icon.svg", SVG)              \
	X(main, "/main.js", "main.js", MODULE)             \
	X(live, "/live.js", "live.js", MODULE)             \
	X(store, "/store.js", "store.js", MODULE)          \
	X(text, "/text.js", "text.js", MODULE)             \
	X(draw, "/draw.js", "draw.js", MODULE)             \
	X(list, "/list.js", "list.js", MODULE)             \
	X(trails, "/trails.js", "trails.js", MODULE)       \
	X(problems, "/problems.js", "problems.js", MODULE) \
	X(gateway, "/gateway.js", "gateway.js", MODULE)    \
	X(timeline, "/timeline.js", "timeline.js", MODULE) \
	X(detail, "/detail.js", "detail.js", MODULE)

/* The assembler reads the file; the Makefile knows what this object is made of. */
#define EMBED(symbol, path, file, type)                                        \
	__asm__(".pushsection .rodata\n"                                       \
		"asset_" #symbol ":\n.incbin \"user/control/page/" file "\"\n" \
		"asset_" #symbol "_end:\n.popsection\n");                      \
	extern const char asset_##symbol[], asset_##symbol##_end[];
ASSETS(EMBED)
#undef EMBED

bool assets_find(struct asset *ret_asset, const char *path)
{
	const struct {
		struct asset asset;
		const char *end;
	} assets[] = {
#define ROW(symbol, path, file, type) { { path, type, asset_##symbol, 0 }, asset_##symbol##_end },
		ASSETS(ROW)
#undef ROW
	};

	for (size_t i = 0; i < sizeof(assets) / sizeof(assets[0]); i++) {
		if (strcmp(path, assets[i].asset.path) != 0)
			continue;
		*ret_asset = assets[i].asset;
		ret_asset->len = (size_t)(assets[i].end - ret_asset->data);
		return true;
	}
	return false;
}
