// What every page runs.

import { startDialogs } from "./dialogs.js";
import { startHtmx } from "./htmx-setup.js";
import { startIme } from "./ime.js";
import { startKeyboard } from "./keyboard.js";
import { startLive } from "./refresh.js";
import { startToasts } from "./toast.js";

startIme();
startHtmx();
startToasts();
startDialogs();
startKeyboard();
startLive();
