// Puts the page together: the store hears the server, the parts of the page hear the store.

import { banner } from "./banner.js";
import { Drawer } from "./drawer.js";
import { Empty } from "./empty.js";
import { follow } from "./feed.js";
import { Graph } from "./graph/graph.js";
import { Head } from "./head.js";
import { openHelp } from "./help.js";
import { listen } from "./keys.js";
import { Panel } from "./panel/panel.js";
import { remember } from "./place.js";
import { openSearch } from "./search.js";
import { Store } from "./store.js";

const at = (id) => document.getElementById(id);
const store = new Store();
const search = () => openSearch(store);
const drawer = new Drawer(at("drawer"), store);
const head = new Head(at("head"), store, { search, help: openHelp, errors: () => drawer.open("errors") });
const graph = new Graph(at("graph"), store);
new Empty(at("graph"), store);
new Panel(at("panel"), store, (link, source) => graph.pin(link, source));
listen({ graph, store, head, drawer, search, help: openHelp });
remember(store);

const feed = follow(
  { system: (data) => store.system(data), stats: (data) => store.stats(data), gone: (data) => store.gone(data) },
  (connected, wait) => store.connection(connected, wait),
);
banner(at("banner"), store, () => feed.again());
head.draw();
