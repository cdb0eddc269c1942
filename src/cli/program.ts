import { Command } from "commander";
import type { Context } from "./context.ts";
import type { Outcome } from "./declare.ts";
import { declareCases } from "./declare-cases.ts";
import { declareEvidence } from "./declare-evidence.ts";
import { declarePeople } from "./declare-people.ts";
import { declareKeys } from "./declare-keys.ts";
import { declareRequests } from "./declare-requests.ts";
import { declareHelp } from "./declare-help.ts";
import { declareSharing } from "./declare-sharing.ts";
import { declareSso } from "./declare-sso.ts";
import { declareWatch } from "./declare-watch.ts";
import { declareMachine } from "./declare-machine.ts";
import { declareServer } from "./declare-server.ts";
import { declareOperations } from "./declare-operations.ts";

/**
 * Every command by name, option and help text; nothing but commander is loaded until one is called. The code of the
 * command that runs ends in `outcome`.
 */
export function buildProgram(context: Context, outcome: Outcome): Command {
  const { terminal } = context;
  const program = new Command("exhibit")
    .summary("moves police evidence")
    .description(
      "Moves police evidence: hashed at the source, carried to the store the force has chosen, proved to have " +
        "arrived unchanged, and shared on watermarked links that can be cut off.",
    )
    .version(context.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand(false)
    .exitOverride()
    .configureHelp({ helpWidth: Math.min(terminal.columns(), 100), sortOptions: false })
    .configureOutput({
      writeOut: (text) => terminal.output.write(text),
      writeErr: (text) => terminal.error.write(text),
      // exit.ts alone speaks of failures.
      outputError: () => undefined,
    });
  declareEvidence(program, context, outcome);
  declareCases(program, context, outcome);
  declareWatch(program, context, outcome);
  declareSharing(program, context, outcome);
  declareRequests(program, context, outcome);
  declareKeys(program, context, outcome);
  declarePeople(program, context, outcome);
  declareMachine(program, context, outcome);
  declareSso(program, context, outcome);
  declareServer(program, context, outcome);
  declareOperations(program, context, outcome);
  declareHelp(program, context, outcome);
  program.addHelpText(
    "after",
    "\nTopics: exhibit help exit-codes | environment | configuration\nExhibits are named CASE:ABC/1, for example 01AB1234526:ABC/1.",
  );
  return program;
}
