import { parseTimetable } from "../../src/evidence/timetable.ts";
import { Paced } from "../../src/transfer/paced.ts";

/** The pace of a machine on which nobody set a limit. */
export const unlimited = new Paced(parseTimetable("off", "--bwlimit"), { now: () => new Date() });
